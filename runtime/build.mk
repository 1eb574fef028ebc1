# SPDX-License-Identifier: GPL-2.0-or-later
# The runtime: build/bulkhead, static. musl keeps it small; any other compiler works too
# (RUNTIME_CC=gcc). ARCH=aarch64 cross-compiles to build/aarch64/bulkhead.

include runtime/filter.mk

HOST_ARCH := $(shell uname -m)
ARCH	  ?= $(HOST_ARCH)

RUNTIME_CC_NATIVE  := $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
RUNTIME_CC_aarch64 := $(if $(filter aarch64,$(HOST_ARCH)),$(RUNTIME_CC_NATIVE),aarch64-linux-gnu-gcc)
RUNTIME_CC_x86_64  := $(if $(filter x86_64,$(HOST_ARCH)),$(RUNTIME_CC_NATIVE),x86_64-linux-gnu-gcc)
RUNTIME_CC	   ?= $(RUNTIME_CC_$(ARCH))

# musl-gcc knows no kernel headers: they come after musl's own.
KERNEL_HEADERS := -idirafter /usr/include -idirafter /usr/include/$(HOST_ARCH)-linux-gnu
RUNTIME_CFLAGS ?= -O2 -g
RUNTIME_FLAGS  := -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(WARNINGS) \
		  -fno-asynchronous-unwind-tables -fno-pie -I$(BUILD)/runtime \
		  $(if $(findstring musl,$(RUNTIME_CC)),$(KERNEL_HEADERS))
# A static program has no table that late binding writes: relro would protect nothing and,
# like separate segments and tables of pointers in a segment that is written, costs page
# faults at each start. Large variables come last (runtime/room.h).
RUNTIME_LDFLAGS ?= -static -Wl,--gc-sections -Wl,-z,noexecstack \
		   -Wl,-z,norelro,-z,noseparate-code -Wl,--sort-section=name

RUNTIME_SRC := $(wildcard runtime/*.c)
RUNTIME_DIR := $(BUILD)/runtime/$(ARCH)
RUNTIME_OBJ := $(RUNTIME_SRC:runtime/%.c=$(RUNTIME_DIR)/%.o)
BULKHEAD    := $(BUILD)/$(if $(filter-out $(HOST_ARCH),$(ARCH)),$(ARCH)/)bulkhead

runtime: $(BULKHEAD) ## build/bulkhead, the container runtime

all: runtime

$(BULKHEAD): $(RUNTIME_OBJ)
	@mkdir -p $(@D)
	$(RUNTIME_CC) $(RUNTIME_CFLAGS) $(RUNTIME_LDFLAGS) -o $@ $^

$(RUNTIME_DIR)/%.o: runtime/%.c $(FILTERS)
	@mkdir -p $(@D)
	$(RUNTIME_CC) $(RUNTIME_FLAGS) $(RUNTIME_CFLAGS) -ffunction-sections -MMD -MP -c -o $@ $<

-include $(RUNTIME_OBJ:.o=.d)
-include runtime/tests.mk runtime/install.mk runtime/demo.mk

.PHONY: runtime
