#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: wherever an allocation or a copy fails on the way of a call, its errno is documented and nothing is left behind
# kernels: debug
# timeout: 7200
. "$(dirname "$0")/lib.sh"

once faults in_test_host 6000 "" "$repo/tests/long/guest/afterwards" --quiet \
	"$repo/build/tests/host/kmod/faults"
