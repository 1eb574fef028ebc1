# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's init, and the suite in virtual machines.

VM_GUEST_SRC := $(wildcard vm/guest/*.c)
VM_GUEST_HDR := $(wildcard vm/guest/*.h)
VM_CFLAGS    := -std=gnu11 -D_GNU_SOURCE -Os -s -static $(WARNINGS)

VM_CC_x86_64  ?= musl-gcc
VM_CC_aarch64 ?= aarch64-linux-gnu-gcc

$(BUILD)/vm/%/init: $(VM_GUEST_SRC) $(VM_GUEST_HDR)
	@mkdir -p $(@D)
	$(VM_CC_$*) $(VM_CFLAGS) -o $@ $(VM_GUEST_SRC)

.SECONDARY: $(BUILD)/vm/x86_64/init $(BUILD)/vm/aarch64/init

# The newest stable kernel, and the image that the targets below run.
VM_KERNEL := 6.12
VM_ARCH   := $(patsubst arm64,aarch64,$(shell uname -m))
vm_run     = BULKHEAD_BUILD='$(abspath $(BUILD))' vm/run-tests.sh
vm_results = --json '$(BUILD)/$(1).json' --junit '$(BUILD)/$(1).xml' \
	     --html '$(BUILD)/$(1).html' --ktap '$(BUILD)/$(1).ktap'

vm-image:
	+@$(MAKE) --no-print-directory -s image KERNEL=$(VM_KERNEL) ARCH=$(VM_ARCH)

vm-check: vm-image ## the suite on the newest stable kernel, for bulkhead and the kernel alone
	@$(vm_run) --kernel $(VM_KERNEL) --subject kernel --subject bulkhead $(call vm_results,vm-check)

# Every adapter but the one that is there to be found out.
VM_SUBJECTS = kernel $(filter-out naive %.sh %.c %.findings,$(notdir $(wildcard selftests/subjects/*)))

vm-matrix: ## the suite on all kernels, architectures and subjects (VM_SUBJECTS=...)
	+@for arch in x86_64 aarch64; do \
		$(MAKE) --no-print-directory -s images ARCH=$$arch || exit; \
	done
	@$(vm_run) $(foreach kernel,$(sort $(shell awk '!/^#/ { print $$1 }' rootfs-builder/kernels)), \
		--kernel $(kernel)) --arch x86_64 --arch aarch64 \
		$(foreach subject,$(VM_SUBJECTS),--subject $(subject)) $(call vm_results,vm-matrix)

vm-bench: ## time guests against the plain boot and virtme-ng, measure snapshots, in one run
	+@$(MAKE) --no-print-directory -s images
	@BULKHEAD_BUILD='$(abspath $(BUILD))' $(PYTHON) vm/bench.py --kernel $(VM_KERNEL) \
		$(addprefix --snapshot-of ,$(call image_kernels,$(VM_ARCH))) \
		--json '$(BUILD)/vm-bench.json'

check-vm: vm-image
	$(call ci-pytest,ci/tests/vm)

lint-vm:
	clang-format --dry-run -Werror $(VM_GUEST_SRC) $(VM_GUEST_HDR)
	cppcheck --quiet --enable=warning,portability,performance --error-exitcode=1 \
		--inline-suppr $(VM_GUEST_SRC)
	clang -fsyntax-only $(filter-out -s -static,$(VM_CFLAGS)) $(VM_GUEST_SRC)
	shellcheck vm/run-tests.sh ci/tests/vm/guest/subject
	flake8 --max-line-length 100 vm ci/tests/vm
	cd vm && mypy --strict --no-incremental --cache-dir=/dev/null launcher report bench.py bytecode.py peer.py

CHECKS += check-vm vm-check
LINTS  += lint-vm

.PHONY: vm-image vm-check vm-matrix vm-bench check-vm lint-vm
