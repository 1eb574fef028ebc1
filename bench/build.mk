# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark: static programs, so that they run on the benchmark's tiny rootfs.

BENCH_CC    ?= $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
BENCH_ARGS  ?=
BENCH_TOOLS := $(foreach tool,floor hold noop turns,$(BUILD)/bench/$(tool))

$(BENCH_TOOLS): $(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(BENCH_CC) -std=gnu11 -O2 $(WARNINGS) -static -s $< -o $@

bench: $(BUILD)/bulkhead $(BENCH_TOOLS) ## time bulkhead, the floor and its peers, in one run
	$(PYTHON) bench/bench.py --build $(BUILD) $(BENCH_ARGS)

check-bench: $(BENCH_TOOLS)
	$(call ci-pytest,ci/tests/bench)

CHECKS += check-bench

.PHONY: bench check-bench
