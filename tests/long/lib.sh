# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lib.sh: what campaigns have in common. Sourced. scripts/test --long gives KERNEL, the test host's,
# and STATE, a folder that outlives an interruption.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
: "${KERNEL:?a campaign is run by scripts/test --long}" "${STATE:?}"

fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# once NAME COMMAND…: what has come to a good end before is not done again; its output is shown.
once() {
	local name=${1// /-} status=0
	shift
	if ! [ -e "$STATE/$name.done" ]; then
		"$@" >"$STATE/$name.log" 2>&1 || status=$?
		[ "$status" -eq 0 ] || { tail -n 60 "$STATE/$name.log"; fail "$name: status $status"; }
		touch "$STATE/$name.done"
	fi
	cat "$STATE/$name.log"
}

# in_test_host SECONDS OPTIONS COMMAND…: a boot of its own, with the module loaded
in_test_host() {
	local seconds=$1 options=$2
	shift 2
	# shellcheck disable=SC2086 # options are words
	APPLIANCE_OUT=$STATE/out "$repo/scripts/appliance" --no-daemons --kernel "$KERNEL" $options \
		--timeout "$seconds" -- "$@"
}
