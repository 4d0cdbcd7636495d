#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: random calls of several processes leave a kernel without complaints, and nothing behind
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/random" --seed 1 --steps 60000
