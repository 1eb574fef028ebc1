#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots kernels under QEMU and runs the selftests in them; see run-tests.sh --help and docs/vm.md.
# This file only finds Python and hands over: it runs in every POSIX shell, also in bash 3.2, dash,
# busybox ash, and in MSYS2 and Git Bash on Windows.
set -eu

# MSYS would rewrite arguments such as --add x:/y; both of its variants have a switch for that.
MSYS_NO_PATHCONV=1
MSYS2_ARG_CONV_EXCL='*'
export MSYS_NO_PATHCONV MSYS2_ARG_CONV_EXCL

fail() {
	echo "run-tests.sh: $1" >&2
	case " $arguments " in
	*' --bisect '*) exit 125 ;;
	*) exit 3 ;;
	esac
}

# Sets $folder, with a slash at its end, to where this file really is: readlink -f is missing on
# older Macs, and every process costs.
find_folder() {
	file=$0
	while folder=./; do
		case $file in */*) folder=${file%/*}/ ;; esac
		[ -h "$file" ] || return 0
		target=$(readlink "$file")
		case $target in
		/*) file=$target ;;
		*) file=$folder$target ;;
		esac
	done
}

# A version manager's script in place of a program: it takes longer than the launcher's own start.
is_script() {
	path=$(command -v "$1") && [ -r "$path" ] && IFS= read -r first <"$path" || return 1
	case $first in '#!'*) return 0 ;; *) return 1 ;; esac
}

# Whether Python $1 can run the launcher. Asking costs time, so the usual one of Linux is not asked:
# __main__.py checks again.
can_run() {
	command -v "$1" >/dev/null 2>&1 || return 1
	[ "$system $1" != 'Linux python3' ] || return 0
	"$1" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1
}

# Sets $python to the first that can.
find_python() {
	slow=''
	for python in "${PYTHON:-}" python3 python /usr/bin/python3 /opt/homebrew/bin/python3 \
		/usr/local/bin/python3 /opt/local/bin/python3 py; do
		if [ "$system" = Linux ] && [ "$python" != "${PYTHON:-}" ] && is_script "$python"; then
			slow="$slow $python"
		elif can_run "$python"; then
			return
		fi
	done
	for python in $slow; do
		can_run "$python" && return
	done
	case $system in
	Darwin) fail 'cannot find Python 3.9 or later (brew install python3)' ;;
	MINGW* | MSYS* | CYGWIN*) fail 'cannot find Python 3.9 or later (winget install Python.Python.3.12)' ;;
	*) fail 'cannot find Python 3.9 or later (install the package python3)' ;;
	esac
}

arguments=$*
system=$(uname -s)
find_folder
folder=${folder%/}
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/bulkhead/bytecode
find_python
case $system in
MINGW* | MSYS* | CYGWIN*) # paths as the host's own programs understand them
	cache=$(cygpath -m "$cache")
	folder=$(cygpath -m "$folder")
	;;
esac
# -I -S: nothing of the user's Python set-up can get between, and start-up is twice as fast.
# -B: nothing is written here; bytecode.py says where to.
exec "$python" -B -I -S -X "bytecode=$cache" "${folder:-/}" "$@"
