#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: all tests of the module pass under KASAN, UBSAN, lockdep and preemption anywhere, and leave no memory behind
# kernels: debug
# timeout: 7200
. "$(dirname "$0")/lib.sh"

n=0 failed=''
for test in "$repo"/tests/host/kmod-*.sh "$repo"/tests/host/libchannel-*.sh; do
	grep -q '^# where: appliance' "$test" || continue
	options=$(sed -n 's/^# appliance: *//p' "$test")
	# Another kernel, processors that count instructions, and all system partitions are other tests'.
	[[ $options == *--no-daemons* && $options != *--kernel* && $options != *--icount* ]] || continue
	limit=$(sed -n 's/^# timeout: *//p' "$test")
	name=$(basename "$test" .sh)
	(once "$name" in_test_host $((limit * 6 + 300)) "$options" \
		"$repo/tests/long/guest/afterwards" timeout $((limit * 6)) "$test") || failed+=" $name"
	n=$((n + 1))
done
echo "count: $n test programs"
[[ -z $failed ]] || fail "these:$failed"
