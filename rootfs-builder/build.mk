# SPDX-License-Identifier: GPL-2.0-or-later
# Root filesystems for containers. Guest images are in image.mk.

rootfs_py = PYTHONDONTWRITEBYTECODE=1 $(PYTHON) rootfs-builder/rootfs.py

rootfs: ## build the container's root filesystem: build/rootfs and build/rootfs.tar
	@$(rootfs_py) --output $(BUILD)/rootfs

# The same for a named architecture, apart from the one that people's containers write to.
rootfs-x86_64 rootfs-aarch64: rootfs-%:
	@$(rootfs_py) --arch $* --output $(BUILD)/$*/rootfs

check-rootfs:
	$(call ci-pytest,$(wildcard ci/tests/rootfs_builder/test_rootfs*.py))

CHECKS += check-rootfs

.PHONY: rootfs rootfs-x86_64 rootfs-aarch64 check-rootfs

-include rootfs-builder/image.mk
