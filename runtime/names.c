// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include "../common/compat.h"

#include <linux/capability.h>
#include <sched.h>

const struct ns_name ns_names[] = {
	{ "mnt", "mnt", CLONE_NEWNS },     { "pid", "pid", CLONE_NEWPID },
	{ "uts", "uts", CLONE_NEWUTS },    { "ipc", "ipc", CLONE_NEWIPC },
	{ "net", "net", CLONE_NEWNET },    { "cgroup", "cgroup", CLONE_NEWCGROUP },
	{ "user", "user", CLONE_NEWUSER }, { "time", "time", CLONE_NEWTIME },
};

const size_t ns_count = sizeof(ns_names) / sizeof(*ns_names);

const char *const cap_names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

const size_t cap_count = sizeof(cap_names) / sizeof(*cap_names);

#define BIT(n) (1ULL << (n))

const uint64_t default_caps = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
			      BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
			      BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_NET_RAW) |
			      BIT(CAP_SYS_CHROOT) | BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) |
			      BIT(CAP_SETFCAP);

const uint64_t default_namespaces =
	CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
