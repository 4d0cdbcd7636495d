#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the model of a channel's take-over holds in every state with two requests, or two actions of the outer world, and misses each protection
# kernels: none
# timeout: 3600
. "$(dirname "$0")/lib.sh"

once model "$repo/tests/model/run"
echo "count: $(awk '/^holds/ { n += $(NF - 3) } END { print n " states" }' "$STATE/model.log")"
