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

# module_tests: all of the module's and of libchannel's that run in a test host of any kernel
module_tests() {
	local -A groups=()
	local n=0 failed='' test options
	for test in "$repo"/tests/host/kmod-*.sh "$repo"/tests/host/libchannel-*.sh; do
		grep -q '^# where: appliance' "$test" || continue
		options=$(sed -n 's/^# appliance: *//p' "$test")
		# Another kernel, a clock of instructions, and all system partitions are other tests'.
		[[ $options == *--no-daemons* && $options != *--kernel* && $options != *--icount* ]] || continue
		groups[$options]+=" $test"
		n=$((n + 1))
	done
	for options in "${!groups[@]}"; do
		# shellcheck disable=SC2086 # paths of the repository
		(once "tests $options" in_test_host 6000 "$options" "$repo/tests/long/guest/all" \
			${groups[$options]}) || failed=1
	done
	echo "count: $n test programs"
	[[ -z $failed ]] || fail "see above"
}
