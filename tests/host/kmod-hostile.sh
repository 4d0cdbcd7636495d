#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a peer that scribbles over all it may write, or loses its memory in mid-copy, ends one channel and disturbs nobody else
# where: appliance
# appliance: --no-daemons
# timeout: 120
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/hostile"
