#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: TCP streams run through a guest and back across a hundred failovers of its network card; none breaks, and all bytes are the same
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 3600
FAILOVERS=${FAILOVERS:-100}
source "$(dirname "$0")/../host/iopartd-tcp.sh"
