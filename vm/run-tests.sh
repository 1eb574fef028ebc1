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

# Where this file really is: readlink -f is missing on older Macs.
own_folder() {
	file=$1
	while [ -h "$file" ]; do
		target=$(readlink "$file")
		case $target in
		/*) file=$target ;;
		*) file=$(dirname "$file")/$target ;;
		esac
	done
	dirname "$file"
}

# A path as the host's own programs understand it.
native_path() {
	case $system in
	MINGW* | MSYS* | CYGWIN*) cygpath -m "$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# The first Python that can run the launcher. Asking costs time, so Linux skips it: __main__.py
# checks again.
find_python() {
	for candidate in "${PYTHON:-}" python3 python /usr/bin/python3 /opt/homebrew/bin/python3 \
		/usr/local/bin/python3 /opt/local/bin/python3 py; do
		if [ -z "$candidate" ] || ! command -v "$candidate" >/dev/null 2>&1; then
			continue
		fi
		if [ "$system" = Linux ] && [ "$candidate" = python3 ]; then
			python=$candidate
			return
		fi
		if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; then
			python=$candidate
			return
		fi
	done
	case $system in
	Darwin) fail 'cannot find Python 3.9 or later (brew install python3)' ;;
	MINGW* | MSYS* | CYGWIN*) fail 'cannot find Python 3.9 or later (winget install Python.Python.3.12)' ;;
	*) fail 'cannot find Python 3.9 or later (install the package python3)' ;;
	esac
}

arguments=$*
system=$(uname -s)
folder=$(own_folder "$0")
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/bulkhead/bytecode
find_python
# -I -S: nothing of the user's Python set-up can get between, and start-up is twice as fast.
exec "$python" -I -S -X "pycache_prefix=$(native_path "$cache")" "$(native_path "$folder")" "$@"
