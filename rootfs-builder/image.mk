# SPDX-License-Identifier: GPL-2.0-or-later
# Guest images: make image [KERNEL=NAME|FILE] [ARCH=x86_64|aarch64] [CONFIG=FILE] [MODULES=DIR].
# Kernels by name are in rootfs-builder/kernels; KERNEL may be a kernel file of your own.

IMAGE_ARCH   := $(or $(ARCH),$(patsubst arm64,aarch64,$(shell uname -m)))
image_kernels = $(shell awk '/^[^\#]/ && $$4 == "$(1)" { print $$1 }' rootfs-builder/kernels)
IMAGE_KERNEL := $(or $(KERNEL),$(lastword $(call image_kernels,$(IMAGE_ARCH))))

image_py      = $(PYTHON) rootfs-builder/image.py

image: ## build a guest image (KERNEL=6.1 ARCH=x86_64; or KERNEL=FILE for a kernel of your own)
	$(image_py) build --kernel '$(IMAGE_KERNEL)' --arch '$(IMAGE_ARCH)' --build '$(BUILD)' \
		$(if $(CONFIG),--config '$(CONFIG)') $(if $(MODULES),--modules '$(MODULES)') \
		$(IMAGE_FLAGS)

images: ## build the guest images of all kernels in the table, for all architectures
	set -e; $(foreach arch,x86_64 aarch64,$(foreach kernel,$(call image_kernels,$(arch)), \
		$(image_py) build --kernel $(kernel) --arch $(arch) --build '$(BUILD)' $(IMAGE_FLAGS);))

.PHONY: image images
