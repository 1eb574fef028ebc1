# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark: static programs, so that they run on the benchmark's tiny rootfs.

BENCH_CC    ?= $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
BENCH_ARGS  ?=
BENCH_TOOLS := $(foreach tool,floor hold noop turns,$(BUILD)/bench/$(tool))

$(BENCH_TOOLS): $(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(BENCH_CC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARNINGS) -I$(BUILD)/runtime \
		$(if $(findstring musl,$(BENCH_CC)),$(KERNEL_HEADERS)) -static -s $(filter %.c,$^) -o $@

$(BUILD)/bench/floor: bench/hardened.c bench/hardened.h runtime/kernelpaths.c runtime/names.c \
	$(BUILD)/runtime/filter_$(shell uname -m).h

bench: $(BUILD)/bulkhead $(BENCH_TOOLS) ## time bulkhead, the floor and its peers, in one run
	$(PYTHON) bench/bench.py --build $(BUILD) $(BENCH_ARGS)

check-bench: $(BUILD)/bulkhead $(BENCH_TOOLS)
	$(call ci-pytest,ci/tests/bench)

CHECKS += check-bench

.PHONY: bench check-bench
