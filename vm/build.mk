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
