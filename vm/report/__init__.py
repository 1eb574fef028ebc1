# SPDX-License-Identifier: GPL-2.0-or-later
"""Results: KTAP in; results.json, JUnit XML, HTML, KTAP and text out. Standard library only."""
