#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stands beside the test programs of a guest with a mutant and runs last: passes when one of the
# calls that are broken took place. Without it a mutant that no test could meet looks like one that
# all tests overlooked.
for argument; do
	if [ "$argument" = --list ]; then
		printf 'mutant.was_reached\tboth\t\t\n'
		exit 0
	fi
done
printf 'KTAP version 1\n1..1\n'
if [ "$(cat /sys/module/mutant/parameters/reached)" = Y ]; then
	echo 'ok 1 mutant.was_reached'
else
	echo 'not ok 1 mutant.was_reached'
	exit 1
fi
