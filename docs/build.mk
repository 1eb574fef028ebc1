# SPDX-License-Identifier: GPL-2.0-or-later
# What is said to people is tested too: the manual, the completions, what make install
# installs, the demonstration, and every command in README.md and docs/containers.md.

check-docs: $(BUILD)/bulkhead rootfs
	$(call ci-pytest,ci/tests/docs)

CHECKS += check-docs

.PHONY: check-docs
