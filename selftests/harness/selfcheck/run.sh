#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the harness's own tests and compares what they print with what they must print:
#	run.sh [--update] ROOTFS PROGRAM...
# As root both as root and as a user without privilege, else as the user that we are; and
# through a subject, whose containers get ROOTFS.
set -eu

here=$(dirname "$0")
update=no
[ "${1-}" != --update ] || { update=yes; shift; }
[ $# -gt 1 ] || { echo "usage: run.sh [--update] ROOTFS PROGRAM..." >&2; exit 64; }

rootfs=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# What differs from run to run: the scratch directory's name and where cgroups are.
normalise() {
	sed -e 's|cgroup /[^ ]*/selfcheck-[0-9]*|cgroup|g' -e 's|/[^ ]*/selftest-[A-Za-z0-9]*|SCRATCH|g' \
		-e 's|^# subject bulkhead .*|# subject bulkhead VERSION|'
}

as_is() { timeout 120 "$@"; }

as_user() {
	timeout 120 setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

# check WHO COMMAND...
check() {
	who=$1
	shift
	status=0
	"$@" </dev/null >"$work/ktap" 2>"$work/errors" || status=$?
	normalise <"$work/ktap" >"$work/seen"
	echo "# exit status $status" >>"$work/seen"
	if [ $update = yes ]; then
		cp "$work/seen" "$here/golden.$who.ktap"
	elif ! diff -u "$here/golden.$who.ktap" "$work/seen" || [ -s "$work/errors" ]; then
		cat "$work/errors" >&2
		echo "selfcheck: $who: the harness does not tell what it should" >&2
		exit 1
	else
		echo "selfcheck: $who: as it should be"
	fi
}

for program; do
	cp "$program" "$work/selfcheck"
	if [ "$(id -u)" = 0 ]; then
		check root as_is "$work/selfcheck"
		check user as_user "$work/selfcheck"
	else
		check user as_is "$work/selfcheck"
	fi
	check subject as_is "$work/selfcheck" --subject "$here/../../subjects/bulkhead" \
		--rootfs "$rootfs"
done
