# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: what tests in tests/host have in common. Sourced.
#
# A test is an executable that says in its head what it shows, where it runs and how long at
# most; scripts/test reads those lines. It ends with 0, with 77 and a reason for a skip, or else
# has failed.
set -euo pipefail

# shellcheck disable=SC2034 # for the tests
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck disable=SC2034 # for the tests
appliance=$repo/scripts/appliance
tmp=$(mktemp -d "${TMPDIR:-/tmp}/test.XXXXXX")
at_exit=()

cleanup() {
	local status=$? i
	set +e
	for ((i = ${#at_exit[@]} - 1; i >= 0; i--)); do
		eval "${at_exit[i]}"
	done
	rm -rf "$tmp"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# later COMMAND: run it at the end, whatever happens; the last one given is run first.
later() {
	at_exit+=("$1")
}

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# need COMMAND...: the test makes no sense without these.
need() {
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null || fail "$c is missing; see scripts/deps"
	done
}

# is WHAT HAVE WANT
is() {
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# has FILE REGEX
has() {
	grep -qE -- "$2" "$1" || fail "no line of $1 matches: $2
$(tail -n 20 "$1")"
}

# status_is WANT COMMAND...: run it, its output in $tmp/out and $tmp/err.
status_is() {
	local want=$1 have=0
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || have=$?
	[ "$have" -eq "$want" ] || fail "status $have, not $want, of: $*
$(tail -n 20 "$tmp/out" "$tmp/err")"
}

# within SECONDS COMMAND...: repeat it until it succeeds
within() {
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) limit=$1
	shift
	until "$@" >/dev/null 2>&1; do
		((${EPOCHREALTIME/[.,]/} < end)) || fail "not within $limit s: $*"
		sleep 0.1
	done
}

# another_repository DIR: one with the test host alone and no program built, for tests that put
# it at another place or stand-ins into its build/bin.
another_repository() {
	mkdir -p "$1/build/bin"
	cp -a "$repo/scripts" "$repo/testhost" "$1/"
	ln -s "$repo/build/kernels" "$1/build/kernels"
}
