# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of bulkhead(1) for bash. Behind the options the words are the container's:
# the command is completed by its path in the rootfs, everything after it not at all.

_bulkhead_switches='--read-only --userns --init --tty --help'
_bulkhead_valued='--rootfs --layer --upper --hostname --domainname --share --uid-map
	--gid-map --timens --bind --tmpfs --env --workdir --user --memory --pids --cpus
	--cap-add --cap-drop --seccomp'
# What `child` cannot do: it makes neither namespaces nor cgroups.
_bulkhead_run_only=' --upper --userns --uid-map --gid-map --timens --memory --pids --cpus --tty '
_bulkhead_capabilities='ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF
	CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER
	KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE
	NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT
	SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME
	SYS_TTY_CONFIG WAKE_ALARM'

# Fills COMPREPLY from the words in $1 that begin with $2.
_bulkhead_words() {
	local word
	while IFS= read -r word; do
		COMPREPLY+=("$word")
	done < <(compgen -W "$1" -- "$2")
}

# Fills COMPREPLY with files (or, with -d, directories) of the host that begin with $2.
_bulkhead_files() {
	local name
	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		COMPREPLY+=("$name")
	done < <(compgen "$1" -- "$2")
}

# Fills COMPREPLY with namespaces, behind a list that $1 may already hold.
_bulkhead_share() {
	local before=''
	case $1 in *,*) before=${1%,*}, ;; esac
	_bulkhead_words "$(printf " $before%s" pid uts ipc net cgroup user)" "$1"
}

# The value $2 of the option $1.
_bulkhead_value() {
	case $1 in
	--rootfs | --layer | --upper) _bulkhead_files -d "$2" ;;
	--bind) _bulkhead_files -f "$2" ;;
	--seccomp)
		_bulkhead_files -f "$2"
		_bulkhead_words 'default none' "$2"
		;;
	--share) _bulkhead_share "$2" ;;
	--cap-add | --cap-drop) _bulkhead_words "$_bulkhead_capabilities" "$2" ;;
	esac
}

# The options that $1 (run or child) has, on one line.
_bulkhead_options() {
	local option
	for option in $_bulkhead_switches $_bulkhead_valued; do
		if [ "$1" = child ]; then
			case $_bulkhead_run_only in *" $option "*) continue ;; esac
		fi
		printf '%s ' "$option"
	done
}

_bulkhead() {
	local word previous verb i
	COMPREPLY=()
	word=${COMP_WORDS[COMP_CWORD]}
	verb=${COMP_WORDS[1]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		_bulkhead_words 'run child features --version --help' "$word"
		return
	fi
	case $verb in run | child) ;; *) return ;; esac
	for ((i = 2; i < COMP_CWORD; i++)); do
		previous=${COMP_WORDS[i]}
		case " ${_bulkhead_valued//[$'\n\t']/ } " in
		*" $previous "*)
			((i++))
			if [ "$i" -eq "$COMP_CWORD" ]; then
				_bulkhead_value "$previous" "$word"
				return
			fi
			;;
		*) case $previous in --?*) ;; *) return ;; esac ;;
		esac
	done
	case $word in
	-*) _bulkhead_words "$(_bulkhead_options "$verb")" "$word" ;;
	esac
}

complete -F _bulkhead bulkhead
