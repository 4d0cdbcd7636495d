#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a channel's memory, servers, doorbells and revocation are what the ABI says, and nobody reaches it from outside
# where: appliance
# appliance: --no-daemons
# timeout: 90
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/channel"
