#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest of a few bytes runs through the module, and its exits are counted
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/guest"
