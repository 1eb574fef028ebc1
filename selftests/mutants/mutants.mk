# SPDX-License-Identifier: GPL-2.0-or-later
# The suite against a kernel that is broken one function at a time: see docs/mutants.md.

MUTANT ?= *

mutants_out = $(BUILD)/mutants/$(VM_KERNEL)
mutants_ko  = $(mutants_out)/mutant.ko

# The kernel's compiler is newer than this machine's may be: an option that only it has, the
# attributes that only it knows, and what would need the kernel's own file (BTF), are left out.
mutants_kbuild = CC='$(CC)' KCFLAGS=-Wno-attributes CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= \
		 CONFIG_DEBUG_INFO_BTF_MODULES=

mutants-module: ## the kernel module that breaks a kernel, for VM_KERNEL
	@mkdir -p '$(mutants_out)' && cp selftests/mutants/module/* '$(mutants_out)'
	@tree=$$(PYTHONDONTWRITEBYTECODE=1 $(PYTHON) rootfs-builder/headers.py \
		--kernel '$(VM_KERNEL)' --output '$(BUILD)/headers') && \
	$(MAKE) --no-print-directory -s -C "$$tree" M='$(abspath $(mutants_out))' \
		$(mutants_kbuild) modules

mutants: vm-image mutants-module ## break the kernel function by function: which test notices? (MUTANT='pid*')
	@PYTHONDONTWRITEBYTECODE=1 BULKHEAD_BUILD='$(abspath $(BUILD))' $(PYTHON) \
		selftests/mutants/mutants.py --kernel $(VM_KERNEL) --module '$(mutants_ko)' \
		--subject bulkhead --run '$(MUTANT)' --json '$(BUILD)/mutants.json'

.PHONY: mutants mutants-module
