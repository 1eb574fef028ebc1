# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest says of its tests."""

from __future__ import annotations

import base64
import gzip
from typing import List

import pytest

from launcher import plan
from launcher.errors import InfraError

LIST = "program uts\nuts.a\tboth\tuts-01 uts-02\tmntns\nuts.b\truntime\t\t\n"
PACKED = base64.encodebytes(gzip.compress(LIST.encode())).decode().split()


def test_a_list_is_unpacked_and_read() -> None:
    for subject, names in (("kernel", ["uts.a"]), ("bulkhead", ["uts.a", "uts.b"])):
        found = plan.parse_list(plan.unpack_list(PACKED), subject)
        assert [test.name for test in found.tests] == names
        assert found.tests[0] == plan.Planned("uts.a", "uts", "both", ["uts-01", "uts-02"])


@pytest.mark.parametrize("lines", [[], PACKED[:-1], ["nothing packed"], ["aGVsbG8="]],
                         ids=["nothing", "cut", "plain", "not_gzip"])
def test_a_list_that_is_none_is_told(lines: List[str]) -> None:
    with pytest.raises(InfraError, match="cannot list the tests"):
        plan.unpack_list(lines)
    with pytest.raises(InfraError, match="cannot list the tests: .*: gzip: not found"):
        plan.unpack_list(lines, "gzip: not found")
