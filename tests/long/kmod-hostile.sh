#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: minutes of hostile peers and of revocations in mid-copy disturb nobody but the victim's one channel
# kernels: 6.1 6.12 debug
# timeout: 3600
. "$(dirname "$0")/lib.sh"

seconds=${HOSTILE_SECONDS:-200}
once hostile in_test_host 3000 "--cpus 3" "$repo/tests/long/guest/afterwards" \
	env HOSTILE_SECONDS="$seconds" "$repo/build/tests/host/kmod/hostile"
echo "count: $(awk '/ channels, / { n += $1 } / revocations, / { r = $1 } END {
	print n " scribbled channels, " r " revocations in mid-copy" }' "$STATE/hostile.log")"
