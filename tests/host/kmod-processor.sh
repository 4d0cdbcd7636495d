#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: guests run in their windows only, promises hold beside a hog, priority is given back, and schedules change while they run
# where: appliance
# appliance: --no-daemons
# timeout: 240
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/processor"
