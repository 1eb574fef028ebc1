# SPDX-License-Identifier: GPL-2.0-or-later
"""The QEMU launcher behind run-tests.sh: Python standard library only, any host that has QEMU."""
