# SPDX-License-Identifier: GPL-2.0-or-later
# Set-up of the machine, and the tests of what stands in this room.

# Tests leave no byte code in the tree. $(call ci-pytest,DIR_OR_FILES) runs them.
ci-pytest = PYTHONDONTWRITEBYTECODE=1 BULKHEAD_BUILD=$(abspath $(BUILD)) $(PYTEST) -q $(1)

deps: ## install the tools that this machine lacks for building and testing
	@ci/deps build test lint image vm

check-ci:
	$(call ci-pytest,ci/tests/ci)

# The programs that the tests of a room need are made first.
check-runtime: $(BUILD)/bulkhead rootfs ## test the runtime end to end, as a user runs it
	$(call ci-pytest,ci/tests/runtime)

# The analysers read the runtime's generated header.
lint-sources: $(BUILD)/bulkhead
	@PYTHONDONTWRITEBYTECODE=1 WARNINGS='$(WARNINGS)' $(PYTHON) ci/lint.py --build $(BUILD)

CHECKS += check-ci check-runtime lint-sources
LINTS  += lint-sources

.PHONY: deps check-ci check-runtime lint-sources

# FAULTS='--kind EPERM "root, upper"' runs a part; FAULTS=--help tells what there is.
faults: $(BUILD)/bulkhead rootfs ## fail every system call of the runtime once; a table of what came of it
	PYTHONDONTWRITEBYTECODE=1 BULKHEAD_BUILD=$(abspath $(BUILD)) $(PYTHON) ci/faults.py $(FAULTS)

.PHONY: faults

# The tracer that sabotages a runtime beneath the tests.
$(BUILD)/saboteur: $(wildcard ci/saboteur/*.c) ci/saboteur/saboteur.h common/compat.h
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARNINGS) $(CFLAGS) -o $@ $(filter %.c,$^)

# All subjects take hours: what is caught costs little, what survives a whole run of the suite.
sabotage: $(BUILD)/saboteur selftests-build selftests-root runtime ## skip every system call of a runtime once: which test sees it? (SUBJECT=crun)
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) ci/sabotage.py --build $(BUILD) \
		$(addprefix --subject ,$(if $(filter all,$(SUBJECT)),$(selftests_subjects),$(SUBJECT))) \
		$(selftests_link)

.PHONY: sabotage
