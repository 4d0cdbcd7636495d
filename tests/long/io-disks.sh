#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's verified work goes on through 300 kills of its disk's server, ten at each step of a request, and 50 hangs; nothing runs after its completion was visible, and no loss of power leaves anything older than a completed flush
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 7200
#
# ROUNDS guests; and what tests/host/iopartd-verify.sh takes.
KILLS=${KILLS:-30} HANGS=${HANGS:-5} POINTS=${POINTS:-11} IMAGES=${IMAGES:-20} ROUNDS=${ROUNDS:-10}
source "$(dirname "$0")/../host/iopartd-verify.sh"
