# SPDX-License-Identifier: GPL-2.0-or-later
# The suite: one static program per area folder, found by wildcard. ARCH=aarch64 builds for
# the other machine with its cross compiler; SUBJECT and RUN choose what selftest runs.

ARCH    ?= $(shell uname -m)
SUBJECT ?= bulkhead
RUN     ?= *

selftests_host  := $(shell uname -m)
selftests_cc    := $(if $(filter $(selftests_host),$(ARCH)),$(CC),$(ARCH)-linux-gnu-gcc)
selftests_flags := -std=gnu11 -D_GNU_SOURCE -g $(WARNINGS) -MMD -MP
selftests_areas := $(filter-out harness subjects,$(sort $(notdir $(patsubst %/,%, \
		   $(dir $(wildcard selftests/*/*.c))))))
selftests_out   := $(BUILD)/selftests/$(ARCH)
selftests_obj   := $(BUILD)/obj/selftests/$(ARCH)
selftests_objs   = $(patsubst %.c,$(selftests_obj)/%.o,$(wildcard $(1)/*.c))
selftests_bin   := $(selftests_areas:%=$(selftests_out)/%)
selftests_naive := $(BUILD)/subjects/$(ARCH)/naive
selftests_root  := $(BUILD)/subjects/rootfs
ifeq ($(ARCH),$(selftests_host))
selftests_link  := $(selftests_areas:%=$(BUILD)/selftests/%)
endif

# The adapters are the executable files; what they share is not.
selftests_subjects := $(notdir $(shell find selftests/subjects -type f -perm -u+x))
selftests_run = selftests/run.py $(selftests_link) --rootfs $(selftests_root)

selftests-build: $(selftests_bin) $(selftests_link) $(selftests_naive) ## the test programs, one per area (ARCH=aarch64)

all: selftests-build

$(selftests_obj)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(selftests_cc) -O2 $(selftests_flags) $(CFLAGS) -c -o $@ $<

define selftests_program
$(selftests_out)/$(1): $(call selftests_objs,selftests/$(1)) $(call selftests_objs,selftests/harness)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$(selftests_cc) -static $(LDFLAGS) -o $$@ $$^
endef
$(foreach area,$(selftests_areas),$(eval $(call selftests_program,$(area))))

# The path by contract, whatever the machine: build/selftests/AREA.
$(selftests_link): $(BUILD)/selftests/%: $(selftests_out)/%
	@ln -sf $(ARCH)/$* $@

$(selftests_naive): $(call selftests_objs,selftests/subjects)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(selftests_cc) -static $(LDFLAGS) -o $@ $^

# Containers write to their root: the tests get one of their own, new each time.
selftests-root: rootfs
	@rm -rf $(selftests_root) && mkdir -p $(dir $(selftests_root))
	@cp -a $(BUILD)/rootfs $(selftests_root)

selftest: selftests-build selftests-root runtime ## the tests on this machine (SUBJECT=crun|all, RUN='pid.*')
	$(selftests_run) --run '$(RUN)' --subject raw \
		$(addprefix --subject ,$(if $(filter all,$(SUBJECT)),$(selftests_subjects),$(SUBJECT)))

selftest-coverage: selftests-build ## which behaviours of the catalogue have a test
	@selftests/coverage.py $(selftests_link) --missing

# The harness checks itself, built by each compiler: see harness/selfcheck/.
SELFCHECK_CC ?= gcc clang
selfcheck_src := $(wildcard selftests/harness/*.c selftests/harness/selfcheck/*.c)
selfcheck_bin := $(SELFCHECK_CC:%=$(BUILD)/selfcheck/%/selfcheck)

$(selfcheck_bin): $(BUILD)/selfcheck/%/selfcheck: $(selfcheck_src) \
		$(wildcard selftests/harness/*.h) common/compat.h
	@mkdir -p $(@D)
	@echo "  SELF    $@"
	@$* -O1 -static $(filter-out -M%,$(selftests_flags)) -o $@ $(selfcheck_src)

selftest-golden: $(selfcheck_bin) selftests-root runtime ## take what the self-check prints now as what it should print
	selftests/harness/selfcheck/run.sh --update $(selftests_root) $(firstword $(selfcheck_bin))

selftest-selfcheck: $(selfcheck_bin) selftests-build selftests-root runtime ## the harness's own tests: golden KTAP, gcc and clang
	selftests/harness/selfcheck/run.sh $(selftests_root) $(selfcheck_bin)
	$(call ci-pytest,ci/tests/selftests)

selftest-layers: selftests-build selftests-root runtime
	$(selftests_run) --subject raw --subject user --subject bulkhead
	$(selftests_run) --subject naive --findings selftests/subjects/naive.findings

selftest-check: selftest-selfcheck selftest-layers ## what make check runs of the suite

CHECKS += selftest-check

# Time and again one raw test against one fork, exec and wait: see harness/selfcheck/overhead.c.
bench: selftest-bench

selftest-bench: $(BUILD)/selfcheck/overhead/overhead ## cost of the harness per raw test
	$< --verbose

$(BUILD)/selfcheck/overhead/overhead: selftests/harness/selfcheck/overhead/overhead.c \
		$(wildcard selftests/harness/*.c selftests/harness/*.h)
	@mkdir -p $(@D)
	@$(CC) -O2 -static $(filter-out -M%,$(selftests_flags)) -o $@ $(filter %.c,$^)

-include $(shell find $(BUILD)/obj/selftests -name '*.d' 2>/dev/null)

.PHONY: selftests-build selftests-root selftest selftest-golden selftest-selfcheck \
	selftest-layers selftest-coverage selftest-check selftest-bench

include selftests/mutants/mutants.mk
