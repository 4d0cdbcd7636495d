#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: in no order of promotions, revocations, kills, signals and writes is a wake-up lost, do two servers write at once, or does one reach what it lost; and each protection is needed for that
# where: host
# timeout: 300
. "$(dirname "$0")/lib.sh"

need spin
"$repo/tests/model/run" --short
