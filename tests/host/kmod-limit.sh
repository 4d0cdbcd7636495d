#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a partition's channels are limited in number and bytes, and its memory in the kernel is charged to its cgroup
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
exec "$(dirname "$0")/../../build/tests/host/kmod/limit"
