#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: ends of channels, partitions and processes race with their use, and nothing is lost, leaked or left running
# where: appliance
# appliance: --no-daemons
# timeout: 240
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/race"
