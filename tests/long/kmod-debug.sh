#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: all tests of the module pass under KASAN, UBSAN, lockdep and preemption anywhere, and leave no memory behind
# kernels: debug
# timeout: 7200
. "$(dirname "$0")/lib.sh"

declare -A groups=()
n=0 failed=''
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
