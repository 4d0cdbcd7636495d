#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: past its lease no guest instruction runs, no server has its memory and none is promoted; a renewal ends that
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/lease"
