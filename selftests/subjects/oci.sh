# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are shared with common.sh
# Read by the adapters of OCI runtimes: one bundle a run, in a temporary directory
# that goes away with it. The configuration is what such a runtime's own `spec`
# proposes, with the capabilities, mount options and masks of container engines.

provides='uts pid mnt ipc net user cgroup hostname bind tmpfs read-only memory pids cpus no-new-privs caps masked-paths dev sys mqueue proc'

capabilities='"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"'

json_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# The remaining arguments as a JSON list.
json_list() {
	separator=''
	printf '['
	for word; do
		printf '%s' "$separator"
		json_string "$word"
		separator=', '
	done
	printf ']'
}

json_mount() { # TARGET TYPE SOURCE OPTION...
	printf ',\n{"destination": %s, "type": "%s", "source": %s, "options": ' \
		"$(json_string "$1")" "$2" "$(json_string "$3")"
	shift 3
	json_list "$@"
	printf '}'
}

mounts() {
	pts_group=gid=5
	[ "$userns" = no ] || pts_group=mode=0620
	printf '{"destination": "/proc", "type": "proc", "source": "proc",
		"options": ["nosuid", "noexec", "nodev"]}'
	json_mount /dev tmpfs tmpfs nosuid strictatime mode=755 size=65536k
	json_mount /dev/pts devpts devpts nosuid noexec newinstance ptmxmode=0666 mode=0620 "$pts_group"
	json_mount /dev/shm tmpfs shm nosuid noexec nodev mode=1777 size=65536k
	json_mount /dev/mqueue mqueue mqueue nosuid noexec nodev
	json_mount /sys sysfs sysfs nosuid noexec nodev ro
	IFS=$newline
	for bind in $binds; do
		unset IFS
		access=rw
		! bind_is_ro "$bind" || access=ro
		json_mount "$(bind_target "$bind")" bind "$(bind_source "$bind")" rbind $access
	done
	IFS=$newline
	for target in $tmpfs; do json_mount "$target" tmpfs tmpfs nosuid nodev; done
	unset IFS
}

user_namespace() {
	[ "$userns" = yes ] || return 0
	printf '"uidMappings": [{"containerID": 0, "hostID": %s, "size": 1}],\n' "$(id -u)"
	printf '"gidMappings": [{"containerID": 0, "hostID": %s, "size": 1}],\n' "$(id -g)"
}

resources() {
	separator=''
	printf '"resources": {'
	[ -z "$memory" ] || { printf '"memory": {"limit": %s}' "$memory"; separator=', '; }
	[ -z "$pids" ] || { printf '%s"pids": {"limit": %s}' "$separator" "$pids"; separator=', '; }
	[ -z "$cpus" ] || printf '%s"cpu": {"quota": %s, "period": 100000}' "$separator" \
		"$(awk "BEGIN { printf \"%d\", $cpus * 100000 }")"
	printf '},\n'
}

environment() {
	IFS=$newline
	# shellcheck disable=SC2086 # one word a line
	set -- PATH=/usr/sbin:/usr/bin:/sbin:/bin $env
	unset IFS
	json_list "$@"
}

configuration() {
	read_only_root=false
	[ "$read_only" = no ] || read_only_root=true
	user_type=''
	[ "$userns" = no ] || user_type=', {"type": "user"}'
	cat <<END
{"ociVersion": "1.0.2",
"process": {"terminal": false, "user": {"uid": 0, "gid": 0}, "cwd": "/",
	"args": $(json_list "$@"), "env": $(environment), "noNewPrivileges": true,
	"capabilities": {"bounding": [$capabilities], "effective": [$capabilities],
		"permitted": [$capabilities]}},
"root": {"path": $(json_string "$rootfs"), "readonly": $read_only_root},
"hostname": $(json_string "$hostname"),
"mounts": [$(mounts)],
"linux": {$(user_namespace)
$(resources)
"namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
	{"type": "mount"}, {"type": "cgroup"}$user_type],
"maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"],
"readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
	"/proc/sysrq-trigger"]}}
END
}

# Not exec: the bundle must go away after the run. The runtime works in the
# background, so that a signal is passed on at once; what runs there would read
# from /dev/null but for descriptor 3.
run_container() {
	[ "$(id -u)" = 0 ] || userns=yes
	bundle=$(mktemp -d)
	trap 'rm -rf "$bundle"' EXIT
	configuration "$@" >"$bundle/config.json"
	status=0
	exec 3<&0
	start_runtime run --bundle "$bundle" "selftest-$$" &
	running=$!
	trap 'kill -TERM "$running"' TERM
	trap 'kill -INT "$running"' INT
	wait "$running" || status=$?
	exit "$status"
}

# The adapter may replace it. Descriptor 3 is the caller's stdin.
start_runtime() {
	exec "$runtime" --root "$bundle/state" "$@" <&3 3<&-
}
