#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: wrong descriptors, sizes, bits, ids and KVM commands are refused, and change nothing
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/attack"
