#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: all tests of the module pass on Debian's real-time kernel (no bar of latency applies there)
# kernels: 6.12-rt
# timeout: 7200
. "$(dirname "$0")/lib.sh"

out=$repo/build/testhost/constant-tsc/$KERNEL
mkdir -p "$out"
cp "$repo"/testhost/constant-tsc/* "$out"
make -C "$repo/build/kernels/$KERNEL/kdir" M="$out" modules >"$out/log" 2>&1 || { tail "$out/log"; fail "constant_tsc.ko"; }
module_tests
