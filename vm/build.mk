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
vm_results = $(foreach kind,json junit html ktap,--$(kind) '$(BUILD)/$(1).$(kind)')

vm-image:
	+@$(MAKE) --no-print-directory -s image KERNEL=$(VM_KERNEL) ARCH=$(VM_ARCH)

vm-check: vm-image ## the suite on the newest stable kernel, for bulkhead and the kernel alone
	@$(vm_run) --kernel $(VM_KERNEL) --subject kernel --subject bulkhead $(call vm_results,vm-check)

VM_SUBJECTS = kernel $(filter-out %.sh,$(notdir $(wildcard selftests/subjects/*)))

vm-matrix: ## the suite on all kernels, architectures and subjects (VM_SUBJECTS=...)
	+@for arch in x86_64 aarch64; do \
		$(MAKE) --no-print-directory -s images ARCH=$$arch || exit; \
	done
	@$(vm_run) $(foreach kernel,$(sort $(shell awk '!/^#/ { print $$1 }' rootfs-builder/kernels)), \
		--kernel $(kernel)) --arch x86_64 --arch aarch64 \
		$(foreach subject,$(VM_SUBJECTS),--subject $(subject)) $(call vm_results,vm-matrix)

check-vm: vm-image
	$(call ci-pytest,ci/tests/vm)

CHECKS += check-vm vm-check

.PHONY: vm-image vm-check vm-matrix check-vm
