#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: ten minutes each of definitions, policies, messages of the command channel and replies to them, chosen by coverage, make no daemon crash, hang, or accept what it cannot say again
# kernels: none
# timeout: 5400
#
# SEED and SECONDS_EACH may be set. What is found stays in STATE, with the input that led to it.
source "$(dirname "$0")/lib.sh"

cd "$repo"
seed=${SEED:-$((RANDOM + 1))} each=${SECONDS_EACH:-600}
echo "seed: $seed"
targets=(common_definition cmdpartd_policy cmdpartd_reply uvd_message)
one() {
	mkdir -p "$STATE/$1"
	OUT=$STATE/$1 SEED=$seed tests/fuzz/run "$1" --seconds "$each"
}
pids=()
for target in "${targets[@]}"; do
	(once "$target" one "$target") &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "see above"; done
executed=0
for target in "${targets[@]}"; do
	executed=$((executed + $(sed -n 's/^stat::number_of_executed_units: *//p' "$STATE/$target/log")))
done
echo "count: $executed inputs, $each s each"
