#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: every change of a channel and the end of a monitor is told by netlink, in order
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/event"
