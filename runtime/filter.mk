# SPDX-License-Identifier: GPL-2.0-or-later
# The default seccomp filter, one header for each architecture, written by mkfilter on the
# machine that builds: the compiler may be a cross compiler, mkfilter's never is.

HOSTCC	    ?= cc
FILTERS	    := $(foreach arch,x86_64 aarch64,$(BUILD)/runtime/filter_$(arch).h)
MKFILTER_IN := runtime/cbpf.h runtime/names.c runtime/names.h runtime/seccomp_mark.h \
	       runtime/seccomp_policy.h $(wildcard runtime/mkfilter/*.[ch])

$(BUILD)/mkfilter: $(MKFILTER_IN)
	@mkdir -p $(@D)
	$(HOSTCC) -std=gnu11 -D_GNU_SOURCE -O2 $(WARNINGS) $(filter %.c,$^) -o $@ -lseccomp

$(FILTERS): $(BUILD)/runtime/filter_%.h: $(BUILD)/mkfilter
	@mkdir -p $(@D)
	$< $* > $@
