#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: contexts are stopped, resumed, budgeted, placed and killed by the kernel alone, and doorbells pass kicks and interrupts
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/context"
