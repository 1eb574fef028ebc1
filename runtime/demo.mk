# SPDX-License-Identifier: GPL-2.0-or-later
# What a newcomer runs first.

demo: ## install what is missing, build, and show a few containers, each line explained
	@ci/deps build
	+@$(MAKE) --no-print-directory -s $(BULKHEAD) rootfs
	@runtime/demo '$(BULKHEAD)' '$(BUILD)/rootfs'

.PHONY: demo
