#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: over the module's channels, packets survive the kill and the replacement of either end, and revocation ends a channel but no process
# where: appliance
# appliance: --no-daemons
# timeout: 240
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/libchannel/endpoint"
