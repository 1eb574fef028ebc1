# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are shared with common.sh
# Read by the adapters of OCI runtimes: one bundle a run, in a temporary directory
# that goes away with it. The configuration is what such a runtime's own `spec`
# proposes, with the capabilities, mount options and masks of container engines.

provides='uts pid mnt ipc net user cgroup hostname domainname share tty run-as join sysctl oci exec bind tmpfs tmpfs-size read-only memory pids cpus no-new-privs caps masked-paths dev sys mqueue proc session keyring clean-fds clean-groups clean-umask default-caps no-inherited-caps own-cgroup device-policy loopback'

capabilities='"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
	"CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
	"CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE"'

# Sets `escaped` to the value as it stands within a JSON string. No process is made
# for the usual value: on an emulated machine each one counts.
escape() {
	escaped=$1
	case $1 in
	*[\\\"]*) escaped=$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g') ;;
	esac
}

# The arguments as a JSON list.
json_list() {
	separator=''
	printf '['
	for word; do
		escape "$word"
		printf '%s"%s"' "$separator" "$escaped"
		separator=', '
	done
	printf ']'
}

json_mount() { # TARGET TYPE SOURCE OPTION...
	escape "$1"
	printf '%s\n{"destination": "%s", "type": "%s", ' "$before_mount" "$escaped" "$2"
	before_mount=,
	escape "$3"
	printf '"source": "%s", "options": ' "$escaped"
	shift 3
	json_list "$@"
	printf '}'
}

# Reads what --oci asked for: masked=PATH, readonly=PATH, without=proc or sys, pivot=no,
# label=LABEL (of the mounts), mount=TARGET:TYPE:SOURCE:OPTION,OPTION. Lists of words, and of
# lines for the mounts.
masked='' readonly_paths='' without='' pivot='' label='' oci_mounts=''
read_oci() {
	IFS=$newline
	for wanted in $oci; do
		case $wanted in
		masked=*) masked="$masked ${wanted#*=}" ;;
		readonly=*) readonly_paths="$readonly_paths ${wanted#*=}" ;;
		without=*) without="$without ${wanted#*=} " ;;
		pivot=no) pivot=--no-pivot ;;
		label=*) label=${wanted#*=} ;;
		mount=*) oci_mounts=$oci_mounts${wanted#*=}$newline ;;
		*) die "cannot use --oci \"$wanted\"" ;;
		esac
	done
	unset IFS
}

mounts() {
	pts_group=gid=5
	before_mount=''
	[ "$userns" = no ] || pts_group=mode=0620
	printf '"mounts": ['
	case $without in *' proc '*) ;; *) json_mount /proc proc proc nosuid noexec nodev ;; esac
	json_mount /dev tmpfs tmpfs nosuid strictatime mode=755 size=65536k
	json_mount /dev/pts devpts devpts nosuid noexec newinstance ptmxmode=0666 mode=0620 "$pts_group"
	json_mount /dev/shm tmpfs shm nosuid noexec nodev mode=1777 size=65536k
	json_mount /dev/mqueue mqueue mqueue nosuid noexec nodev
	case $without in *' sys '*) ;; *) json_mount /sys sysfs sysfs nosuid noexec nodev ro ;; esac
	IFS=$newline
	for bind in $binds; do
		unset IFS
		split_bind "$bind"
		json_mount "$target" bind "$source" rbind "$access"
	done
	IFS=$newline
	for wanted in $tmpfs; do
		unset IFS
		split_tmpfs "$wanted"
		json_mount "$target" tmpfs tmpfs nosuid nodev ${size:+"size=$size"}
	done
	IFS=$newline
	for wanted in $oci_mounts; do
		IFS=:,
		# shellcheck disable=SC2086 # its fields
		json_mount $wanted
	done
	unset IFS
	printf '],\n'
}

# NAME TYPE: a new namespace, another container's by its path, or the host's.
namespace() {
	shares "$1" && return
	path=''
	case $join in "$1":*) path=", \"path\": \"${join#*:}\"" ;; esac
	printf '%s{"type": "%s"%s}' "$before_namespace" "$2" "$path"
	before_namespace=', '
}

namespaces() {
	printf '"namespaces": ['
	before_namespace=''
	namespace mnt mount
	namespace pid pid
	namespace net network
	namespace ipc ipc
	namespace uts uts
	namespace cgroup cgroup
	[ "$userns" = no ] || namespace user user
	printf ']'
	if [ "$userns" = yes ]; then
		printf ',\n"uidMappings": [{"containerID": 0, "hostID": %s, "size": 1}]' "$(id -u)"
		printf ',\n"gidMappings": [{"containerID": 0, "hostID": %s, "size": 1}]' "$(id -g)"
	fi
}

sysctl() {
	separator=''
	printf '"sysctl": {'
	IFS=$newline
	for pair in $sysctls; do
		unset IFS
		escape "${pair#*=}"
		printf '%s"%s": "%s"' "$separator" "${pair%%=*}" "$escaped"
		separator=', '
	done
	unset IFS
	printf '},\n'
}

resources() {
	printf '"resources": {"devices": [{"allow": false, "access": "rwm"}]'
	[ -z "$memory" ] || printf ', "memory": {"limit": %s}' "$memory"
	[ -z "$pids" ] || printf ', "pids": {"limit": %s}' "$pids"
	[ -z "$cpus" ] || printf ', "cpu": {"quota": %s, "period": 100000}' \
		"$(awk "BEGIN { printf \"%d\", $cpus * 100000 }")"
	printf '},\n'
}

process() {
	uid=${user%%:*} gid=${user#*:}
	terminal=false
	[ "$tty" = no ] || terminal=true
	printf '"process": {"terminal": %s, "user": {"uid": %s, "gid": %s}, "cwd": "/",
	"noNewPrivileges": true, "capabilities": {"bounding": [%s], "effective": [%s],
	"permitted": [%s]}, "args": ' $terminal "${uid:-0}" "${gid:-0}" "$capabilities" "$capabilities" \
		"$capabilities"
	json_list "$@"
	IFS=$newline
	# shellcheck disable=SC2086 # one word a line
	set -- PATH=/usr/sbin:/usr/bin:/sbin:/bin $env
	unset IFS
	printf ', "env": '
	json_list "$@"
	printf '},\n'
}

name_field() {
	[ -n "$2" ] || return 0
	escape "$2"
	printf '"%s": "%s",\n' "$1" "$escaped"
}

masks() {
	printf '"maskedPaths": '
	# shellcheck disable=SC2086 # a list of words
	json_list /proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys \
		/proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug \
		/proc/scsi /sys/firmware /sys/devices/virtual/powercap $masked
	printf ',\n"readonlyPaths": '
	# shellcheck disable=SC2086 # a list of words
	json_list /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger $readonly_paths
	printf ',\n'
}

# Without a mount namespace every mount, masks among them, would be one of the host's.
configuration() {
	read_only_root=false
	[ "$read_only" = no ] || read_only_root=true
	printf '{"ociVersion": "1.0.2",\n'
	process "$@"
	escape "$rootfs"
	printf '"root": {"path": "%s", "readonly": %s},\n' "$escaped" $read_only_root
	name_field hostname "$hostname"
	name_field domainname "$domainname"
	if shares mnt; then printf '"mounts": [],\n'; else mounts; fi
	printf '"linux": {'
	name_field mountLabel "$label"
	sysctl
	resources
	shares mnt || masks
	namespaces
	printf '}}\n'
}

run_container() {
	# The field came with version 1.1 of the specification; older runtimes ignore it.
	[ -z "$domainname" ] || knows_domainname || lacks '--domainname'
	[ "$(id -u)" = 0 ] || userns=yes
	read_oci
	! shares mnt || [ -z "$binds$tmpfs$oci_mounts" ] || lacks 'mounts with --share mnt'
	bundle=$(bundle_of "selftest-$$")
	mkdir -m 700 "$bundle"
	trap clear_up EXIT
	configuration "$@" >"$bundle/config.json"
	supervise start_runtime run $pivot --bundle "$bundle" "selftest-$$"
}

bundle_of() { echo "${TMPDIR:-/tmp}/$1"; }

exec_in_container() {
	bundle=$(bundle_of "$id")
	exec 3<&0
	start_runtime exec "$id" "$@"
}

clear_up() { rm -rf "$bundle"; }

# The adapter may replace it.
start_runtime() {
	exec "$runtime" --root "$bundle/state" "$@" <&3 3<&-
}
