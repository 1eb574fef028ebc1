# SPDX-License-Identifier: GPL-2.0-or-later
# The runtime's unit tests: gcc, glibc and libcheck, without privileges. Each
# runtime/tests/test_*.c is a program of its own, and takes from an archive of the
# runtime's objects what it needs. unit-sanitized is the same under ASan and UBSan.

UNIT_CC	    ?= gcc
UNIT_FLAGS  := -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARNINGS) -g -O1 \
	       -I$(BUILD)/runtime -MMD -MP
UNIT_LIBS   := -lcheck_pic -lsubunit -lrt -lm -pthread
UNIT_TESTS  := $(patsubst runtime/tests/%.c,%,$(wildcard runtime/tests/test_*.c))
UNIT_SRC    := $(filter-out runtime/main.c,$(wildcard runtime/*.c)) runtime/tests/unit.c
UNIT_DIR    := $(BUILD)/runtime-tests
UNIT_PLAIN  := $(UNIT_TESTS:%=$(UNIT_DIR)/plain/%)
UNIT_ASAN   := $(UNIT_TESTS:%=$(UNIT_DIR)/sanitized/%)

$(UNIT_DIR)/sanitized/%: UNIT_FLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all

# A plan lives as long as its process, so nothing in it is ever freed: leaks are no finding.
UNIT_ASAN_OPTIONS := detect_leaks=0:abort_on_error=1

define unit_rules
$(UNIT_DIR)/$(1)/%.o: runtime/%.c $(FILTERS)
	@mkdir -p $$(@D)
	@echo "  CC      $$<"
	@$(UNIT_CC) $$(UNIT_FLAGS) -c -o $$@ $$<

$(UNIT_DIR)/$(1)/runtime.a: $(UNIT_SRC:runtime/%.c=$(UNIT_DIR)/$(1)/%.o)
	@rm -f $$@
	@ar rcs $$@ $$^

$(UNIT_DIR)/$(1)/test_%: runtime/tests/test_%.c $(UNIT_DIR)/$(1)/runtime.a
	@echo "  LD      $$@"
	@$(UNIT_CC) $$(UNIT_FLAGS) -o $$@ $$< $(UNIT_DIR)/$(1)/runtime.a $$(UNIT_LIBS)
endef
$(foreach variant,plain sanitized,$(eval $(call unit_rules,$(variant))))

unit: $(UNIT_PLAIN) ## run the runtime's unit tests
	@set -e; for test in $(UNIT_PLAIN); do "$$test"; done

unit-sanitized: $(UNIT_ASAN) ## run the unit tests under ASan and UBSan
	@set -e; for test in $(UNIT_ASAN); do ASAN_OPTIONS=$(UNIT_ASAN_OPTIONS) "$$test"; done

CHECKS += unit unit-sanitized

-include $(wildcard $(UNIT_DIR)/*/*.d $(UNIT_DIR)/*/tests/*.d)

.SECONDARY: $(UNIT_SRC:runtime/%.c=$(UNIT_DIR)/plain/%.o) \
	    $(UNIT_SRC:runtime/%.c=$(UNIT_DIR)/sanitized/%.o)
.PHONY: unit unit-sanitized
