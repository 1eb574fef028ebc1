# SPDX-License-Identifier: GPL-2.0-or-later
# make install [DESTDIR=DIR] [PREFIX=/usr/local]; uninstall removes the same files.

INSTALL    ?= install
STRIP      ?= $(if $(filter-out $(HOST_ARCH),$(ARCH)),$(ARCH)-linux-gnu-)strip
INSTALL_AT  = $(DESTDIR)$(PREFIX)

# FILE in the tree, MODE, FILE below PREFIX: one row for each.
install_rows = '$(BULKHEAD)                          755 bin/bulkhead' \
	       'runtime/bulkhead.1                   644 share/man/man1/bulkhead.1' \
	       'runtime/completions/bulkhead.bash    644 share/bash-completion/completions/bulkhead' \
	       'runtime/completions/_bulkhead        644 share/zsh/site-functions/_bulkhead'

install: $(BULKHEAD) ## install bulkhead, its manual and completions (DESTDIR, PREFIX)
	@set -e; for row in $(install_rows); do \
		set -- $$row; \
		echo "  INSTALL $(INSTALL_AT)/$$3"; \
		$(INSTALL) -D -m $$2 "$$1" "$(INSTALL_AT)/$$3"; \
	done
	@$(STRIP) "$(INSTALL_AT)/bin/bulkhead"

uninstall: ## remove what make install installed
	@set -e; for row in $(install_rows); do \
		set -- $$row; \
		echo "  REMOVE  $(INSTALL_AT)/$$3"; \
		rm -f "$(INSTALL_AT)/$$3"; \
	done

.PHONY: install uninstall
