# SPDX-License-Identifier: Apache-2.0
# Test builds without protections: a copy of the sources with pieces of text replaced. What is
# installed has no switch that would turn a protection off. Sourced after lib.sh.
# shellcheck shell=bash

# weaken_copy FOLDER PATH…: $work is that folder, with copies of these; it goes at the end
weaken_copy() {
	local path
	work=$1
	shift
	rm -rf "$work"
	mkdir -p "$work"
	later "rm -rf $work"
	for path; do
		mkdir -p "$work/$(dirname "$path")"
		# shellcheck disable=SC2154 # of lib.sh
		# With their times, so that what is built of them is known to be.
		cp -a "$repo/$path" "$work/$path"
	done
}

# weaken FILE OLD NEW: replaces a piece of text that is there exactly once.
weaken() {
	# shellcheck disable=SC2016 # perl's variables
	OLD=$2 NEW=$3 perl -0pi -e '
		BEGIN { $old = $ENV{OLD}; $new = $ENV{NEW} }
		$n = s/\Q$old\E/$new/g;
		END { exit($n == 1 ? 0 : 1) }' "$work/$1" ||
		fail "$1 no longer says exactly once: $2"
}
