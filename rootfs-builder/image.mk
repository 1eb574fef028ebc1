# SPDX-License-Identifier: GPL-2.0-or-later
# Guest images: make image [KERNEL=NAME|FILE] [ARCH=x86_64|aarch64] [CONFIG=FILE] [MODULES=DIR].
# Kernels by name are in rootfs-builder/kernels; KERNEL may be a kernel file of your own.

image_arch    := $(or $(ARCH),$(patsubst arm64,aarch64,$(shell uname -m)))
image_kernels  = $(shell awk '!/^\#/ && $$4 == "$(1)" { print $$1 }' rootfs-builder/kernels)
image_kernel  := $(or $(KERNEL),$(lastword $(call image_kernels,$(image_arch))))
image_py       = PYTHONDONTWRITEBYTECODE=1 $(PYTHON) rootfs-builder/image.py
image_options  = --arch '$(image_arch)' --build '$(BUILD)'
image_build    = $(image_py) build $(image_options) $(if $(UPDATE),--refresh) --kernel

# What the other rooms put into an image. A make of its own, so that they see ARCH, too.
image-inputs:
	+@$(MAKE) --no-print-directory -s ARCH='$(image_arch)' runtime selftests-build \
		'$(BUILD)/vm/$(image_arch)/init' 'rootfs-$(image_arch)'

image: image-inputs ## build a guest image: KERNEL=6.1 or a kernel FILE of your own, ARCH=aarch64
	@$(image_build) '$(image_kernel)' $(if $(CONFIG),--config '$(CONFIG)') \
		$(if $(MODULES),--modules '$(MODULES)')

images: image-inputs ## build the guest images of all kernels of an architecture
	@set -e; for kernel in $(call image_kernels,$(image_arch)); do \
		$(image_build) "$$kernel"; \
	done

image-bundle: images ## pack all images of an architecture into one file, for other hosts
	@$(image_py) bundle $(image_options)

image-config: ## compare a kernel's configuration with selftests/config: KERNEL=, CONFIG=
	@$(image_py) check-config $(image_options) --kernel '$(image_kernel)' \
		$(if $(CONFIG),--config '$(CONFIG)') $(if $(MODULES),--modules '$(MODULES)')

check-image:
	$(call ci-pytest,$(wildcard ci/tests/rootfs_builder/test_image*.py))

CHECKS += check-image

.PHONY: image-inputs image images image-bundle image-config check-image
