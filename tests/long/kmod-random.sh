#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: whatever several processes call at random, the kernel does not complain, nobody hangs, and nothing is left
# kernels: 6.1 6.12 debug
# timeout: 7200
. "$(dirname "$0")/lib.sh"

first=${SEED:-1} runs=10 steps=200000
[[ $KERNEL != debug ]] || runs=4 steps=50000
for ((seed = first; seed < first + runs; seed++)); do
	once "seed $seed" in_test_host 1200 "--cpus 3" "$repo/tests/long/guest/afterwards" \
		"$repo/build/tests/host/kmod/random" --seed $seed --steps $steps --processes $((3 + seed % 4))
done
echo "count: $((runs * steps)) steps"
echo "seed: $first to $((first + runs - 1))"
