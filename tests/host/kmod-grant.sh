#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: only the serving endpoint reaches its client's memory, and only while it serves
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/grant"
