#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's write to an I/O port rings whoever serves, and the guest goes on without its monitor, yet stops, pays and ends as any other
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/port"
