# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are shared with the adapter
# Read by every adapter: the options of `run`, and the answers of `describe`.
# An adapter sets `provides` and defines find_runtime, which sets `runtime` or
# fails with a `reason`, runtime_version, which prints it, and run_container, which
# ends with the command's exit status. See docs/writing-a-test.md, "a new subject".

name=${0##*/}
lacks_option=95

die() {
	echo "$name: $1" >&2
	exit 125
}

# What the runtime cannot do ends here, before anything has run.
lacks() {
	echo "$name: cannot do $1" >&2
	exit $lacks_option
}

# The program of the PATH: some shells have applets of the same names.
find_program() {
	IFS=:
	for directory in $PATH; do
		unset IFS
		[ ! -x "$directory/$1" ] || { echo "$directory/$1"; return 0; }
	done
	unset IFS
	return 1
}

# Whether the kernel lets a normal user have user namespaces: two switches forbid them.
user_namespaces() {
	for switch in /proc/sys/user/max_user_namespaces /proc/sys/kernel/unprivileged_userns_clone; do
		if [ -r $switch ] && [ "$(cat $switch)" = 0 ]; then
			reason="a normal user gets no user namespace here: $switch is 0"
			return 1
		fi
	done
}

# Without one no runtime can start a container for a normal user, unless it is set-user-ID.
find_usable_runtime() {
	find_runtime || return 1
	[ "$(id -u)" = 0 ] || [ -u "$runtime" ] || user_namespaces
}

describe() {
	available=yes version='' reason=''
	find_usable_runtime || available=no
	[ $available = no ] || version=$(runtime_version)
	printf 'name=%s\nversion=%s\navailable=%s\nreason=%s\nprovides=%s\n' \
		"$name" "$version" "$available" "$reason" "$provides"
}

# The options, into variables; lists are newline-separated.
rootfs='' hostname='' domainname='' memory='' pids='' cpus='' binds='' tmpfs='' env=''
share='' join='' user='' sysctls='' id='' oci=''
read_only=no userns=no tty=no
newline='
'

# parse OPTION...: sets the variables and `used`, the number of words before COMMAND.
parse() {
	used=$#
	while [ $# -gt 0 ]; do
		case $1 in
		--) used=$((used - $# + 1)); return ;;
		--read-only) read_only=yes; shift; continue ;;
		--userns) userns=yes; shift; continue ;;
		--tty) tty=yes; shift; continue ;;
		esac
		[ $# -ge 2 ] || die "cannot use \"$1\": it needs a value"
		case $1 in
		--rootfs) rootfs=$2 ;;
		--hostname) hostname=$2 ;;
		--domainname) domainname=$2 ;;
		--memory) memory=$2 ;;
		--pids) pids=$2 ;;
		--cpus) cpus=$2 ;;
		--id) id=$2 ;;
		--share) share=$2 ;;
		--join) join=$2 ;;
		--user) user=$2 ;;
		--sysctl) sysctls=$sysctls$2$newline ;;
		--oci) oci=$oci$2$newline ;;
		--bind) binds=$binds$2$newline ;;
		--tmpfs) tmpfs=$tmpfs$2$newline ;;
		--env) env=$env$2$newline ;;
		*) die "cannot use option \"$1\"" ;;
		esac
		shift 2
	done
	die "no command: expected -- COMMAND"
}

# Of SOURCE:TARGET[:ro]: sets `source`, `target` and `access`, ro or rw.
split_bind() {
	source=${1%%:*} target=${1#*:} access=rw
	case $target in *:ro) target=${target%:ro} access=ro ;; esac
}

# Of TARGET[:size=BYTES]: sets `target` and `size`, which is empty when none was asked for.
split_tmpfs() {
	target=${1%%:*} size=''
	case $1 in *:size=*) size=${1#*:size=} ;; esac
}

# shares NS: this namespace is to be the host's: uts pid ipc net cgroup mnt.
shares() {
	case ,$share, in *,"$1",*) return 0 ;; esac
	return 1
}

# What few runtimes have an option for.
lacks_rare_options() {
	[ -z "$join" ] || lacks '--join'
	[ -z "$sysctls" ] || lacks '--sysctl'
	[ -z "$oci" ] || lacks '--oci'
	! shares mnt || lacks '--share mnt'
}

# exec_runtime COUNT WORD... OPTION...: the first COUNT words are the command. An
# adapter appends its options behind them, as a shell without arrays can, and here
# they change places.
exec_runtime() {
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		set -- "$@" "$1"
		shift
		count=$((count - 1))
	done
	exec "$runtime" "$@"
}

# supervise FUNCTION WORD...: not exec, for an adapter that has something to clear up
# after the run, in a trap on EXIT. The function works in the background, so that a
# signal is passed on at once; what runs there would read from /dev/null, so the
# function finds the caller's stdin as descriptor 3.
supervise() {
	exec 3<&0
	"$@" &
	running=$!
	trap 'kill -TERM "$running"' TERM
	trap 'kill -INT "$running"' INT
	while :; do
		status=0
		wait "$running" || status=$?
		# A signal ends the wait before the runtime has ended.
		kill -0 "$running" 2>/dev/null || exit "$status"
	done
}

# An adapter whose runtime can add a process to a container replaces it.
exec_in_container() { lacks exec; }

main() {
	verb=${1-}
	[ $# -eq 0 ] || shift
	case $verb in
	describe) describe ;;
	run)
		parse "$@"
		shift "$used"
		[ $# -gt 0 ] || die "no command: expected -- COMMAND"
		[ -n "$rootfs" ] || die "no root: expected --rootfs DIR"
		[ $tty = no ] || case " $provides " in *' tty '*) ;; *) lacks '--tty' ;; esac
		find_usable_runtime || die "cannot run: $reason"
		run_container "$@"
		;;
	exec)
		parse "$@"
		shift "$used"
		[ $# -gt 0 ] || die "no command: expected -- COMMAND"
		find_usable_runtime || die "cannot run: $reason"
		exec_in_container "$@"
		;;
	*) echo "usage: $name describe | $name run --rootfs DIR [OPTION]... -- COMMAND [ARG]... |" \
		"$name exec --id ID -- COMMAND [ARG]..." >&2
	   exit 64 ;;
	esac
}
