# SPDX-License-Identifier: GPL-2.0-or-later
# The suite: one static program per area folder, found by wildcard. ARCH=aarch64 builds for
# the other machine with its cross compiler; SUBJECT, RUN and ROOTFS choose what selftest runs.

ARCH    ?= $(shell uname -m)
SUBJECT ?=
RUN     ?= *
ROOTFS  ?= $(BUILD)/rootfs

selftests_host  := $(shell uname -m)
selftests_cc    := $(if $(filter $(selftests_host),$(ARCH)),$(CC),$(ARCH)-linux-gnu-gcc)
selftests_flags := -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -MMD -MP
selftests_areas := $(filter-out harness subjects selfcheck,$(sort $(notdir $(patsubst %/,%, \
		   $(dir $(wildcard selftests/*/*.c))))))
selftests_out   := $(BUILD)/selftests/$(ARCH)
selftests_obj   := $(BUILD)/obj/selftests/$(ARCH)
selftests_objs   = $(patsubst %.c,$(selftests_obj)/%.o,$(wildcard selftests/$(1)/*.c))
selftests_bin   := $(selftests_areas:%=$(selftests_out)/%)
ifeq ($(ARCH),$(selftests_host))
selftests_link  := $(selftests_areas:%=$(BUILD)/selftests/%)
endif

selftests-build: $(selftests_bin) $(selftests_link) $(selftests_out)/naive ## the test programs, one per area (ARCH=aarch64)

all: selftests-build

$(selftests_obj)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(selftests_cc) $(selftests_flags) $(CFLAGS) -c -o $@ $<

define selftests_program
$(selftests_out)/$(1): $(call selftests_objs,$(1)) $(call selftests_objs,harness)
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$(selftests_cc) -static $(LDFLAGS) -o $$@ $$^
endef
$(foreach area,$(selftests_areas),$(eval $(call selftests_program,$(area))))

# The path by contract, whatever the machine: build/selftests/AREA.
$(selftests_link): $(BUILD)/selftests/%: $(selftests_out)/%
	ln -sf $(ARCH)/$* $@

$(selftests_out)/naive: $(selftests_obj)/selftests/subjects/naive.o
	@mkdir -p $(@D)
	@echo "  LD      $$@"
	@$(selftests_cc) -static $(LDFLAGS) -o $@ $^

-include $(shell find $(BUILD)/obj/selftests -name '*.d' 2>/dev/null)

.PHONY: selftests-build
