# SPDX-License-Identifier: GPL-2.0-or-later
# The one entry. Each room brings its own targets in ROOM/build.mk; a target with a "## text"
# after it is shown by "make help"; a room adds what must pass in CI to CHECKS.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
PYTHON  ?= python3
PYTEST  ?= /usr/bin/python3 -m pytest
VERSION := 0.1.0

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	    -Wwrite-strings -Wformat=2 -Wvla
CHECKS   :=
LINTS    :=

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

all: ## build everything that needs no network

include $(sort $(wildcard */build.mk))

# Some tests are another user, who must reach what is built.
check: deps ## install what is missing, then run all tests: what CI runs
	+@umask 022 && $(MAKE) --no-print-directory check-all

# A make of its own, begun when the tools are there: the order holds under -j, and what
# the build.mk files find out about this machine they find out anew.
check-all: $(CHECKS)

lint: $(LINTS) ## formatters, static analysers and house rules over all sources

clean: ## remove everything generated
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-18s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST) | LC_ALL=C sort

.PHONY: all check check-all lint clean help
