# SPDX-License-Identifier: GPL-2.0-or-later
"""Each rule of lint.py on a tree with one thing wrong, and on its sibling where it is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LINT = Path(__file__).resolve().parents[2] / "lint.py"
SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
C = f"// {SPDX}\n"
PYTHON = f"# {SPDX}\n"
SHELL = f"#!/bin/sh\n# {SPDX}\n"


def lint(tmp_path: Path, check: str, name: str, text: str) -> subprocess.CompletedProcess[str]:
    """Runs a check on a tree of one file."""
    top = tmp_path / "tree"
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return subprocess.run([sys.executable, "-B", str(LINT), "--top", str(top), "--build",
                           str(tmp_path / "build"), check], capture_output=True, text=True,
                          cwd=tmp_path, check=False)


def function(lines: int) -> str:
    return C + "void f(void);\nvoid f(void)\n{\n" + "\tf();\n" * lines + "}\n"


# A check, a file, what is wrong in it, and the same made right.
CASES = [
    ("licence", "a.c", "int a;\n", C),
    ("licence", "a.py", "import os\n", PYTHON),
    ("licence", "a", "#!/bin/sh\n:\n", SHELL),
    ("licence", "Makefile", "all:\n", PYTHON),
    ("length", "a.c", C + "\n" * 500, C + "\n" * 499),
    ("functions", "a.c", function(61), function(60)),
    ("sleeps", "selftests/a.c", C + "int x(void) { return sleep(1); }", C + "/* sleep(1) */"),
    ("sleeps", "selftests/a.c", C + "int x(void) { return usleep (1); }", C + 's = "sleep(1)";'),
    ("sleeps", "ci/tests/test_a.py", "import time\ntime.sleep(1)\n", "x = 'time.sleep(1)'\n"),
    ("sleeps", "selftests/a.sh", SHELL + "sleep 1\n", SHELL + "# sleep 1\n"),
    ("sleeps", "selftests/a.c", C + "nanosleep(&t, 0);", "vm/a.c"),
    ("sleeps", "ci/tests/test_a.py", "sleep(1)\n", "sleep(1)  # sleeps: a load, not a wait\n"),
    ("sleeps", "ci/tests/test_a.py", "if x:\n    sleep(1)\n", "while x:\n    sleep(1)\n"),
    ("marks", "a.c", C + "/* TO" "DO: more */\n", C + "/* all of TO" "DOS is done */\n"),
    ("marks", "a.py", PYTHON + "# FIX" "ME\n", PYTHON + "x = '# FIX" "ME'\n"),
    ("registries", "a.py", "x = 'http://deb.deb" "ian.org/x'\n", "x = 'deb.example.org'\n"),
    ("registries", "a.sh", SHELL + "# security.ubu" "ntu.com\n", SHELL + "# ubuntu\n"),
    ("compilers", "a.c", C + "static int unused;\n", C + "extern int x;\n"),
    ("clang-format", "a.c", C + "int  a ;\n", C + "int a;\n"),
    ("cppcheck", "a.c", C + "int f(void)\n{\n\tint a[2];\n\ta[0] = 1;\n\treturn a[5] + a[0];\n}\n",
     C + "int f(void)\n{\n\tint a[2] = { 1 };\n\treturn a[1];\n}\n"),
    ("shells", "a.sh", SHELL + "echo $1\n", SHELL + 'echo "$1"\n'),
    ("shells", "a.sh", SHELL + "if\n", SHELL + ":\n"),
    ("flake8", "a.py", "import os\n", "x = 1\n"),
    ("mypy", "a.py", "def f(x: int) -> str:\n    return x\n", "x: int = 1\n"),
    ("mypy", "a.py", "def f(x):\n    return x\n", "def f() -> None:\n    pass\n"),
]


@pytest.mark.parametrize("check, name, wrong, right", CASES,
                         ids=[f"{case[0]}-{number}" for number, case in enumerate(CASES)])
def test_wrong_is_found_and_right_is_not(tmp_path: Path, check: str, name: str, wrong: str,
                                         right: str) -> None:
    found = lint(tmp_path, check, name, wrong)
    assert found.returncode == 1 and name in found.stdout, found
    assert found.stdout.startswith(f"{check}: ")
    if right == "vm/a.c":  # the same text where it is allowed
        (tmp_path / "tree" / name).unlink()
        name, right = right, wrong
    found = lint(tmp_path, check, name, right)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_what_was_found_good_is_not_looked_at_again(tmp_path: Path) -> None:
    lint(tmp_path, "clang-format", "a.c", C + "int a;\n")
    assert len(list((tmp_path / "build/lint").iterdir())) == 1
    assert lint(tmp_path, "clang-format", "a.c", C + "int a ;\n").returncode == 1
    assert lint(tmp_path, "clang-format", "a.c", C + "int a;\n").returncode == 0
    # A header that all may include has changed: the verdict is void.
    lint(tmp_path, "clang-format", "a.h", C + "int a;\n")
    assert len(list((tmp_path / "build/lint").iterdir())) == 3


def test_missing_tool_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(C)
    result = subprocess.run([sys.executable, "-B", str(LINT), "--top", str(tmp_path), "clang-tidy"],
                            env={"PATH": "/nonexistent"}, capture_output=True, text=True,
                            check=False, cwd=tmp_path)
    assert result.returncode == 1 and "not installed: clang-tidy (see ci/deps" in result.stdout


def test_unknown_check_is_refused(tmp_path: Path) -> None:
    result = subprocess.run([sys.executable, "-B", str(LINT), "everything"], check=False,
                            capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2 and "no such check: everything" in result.stderr
