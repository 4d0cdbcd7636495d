#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: sixteen clients at once for a minute, over guests that do not all fit, are each answered once, whichever daemon is killed meanwhile; the ledger's order alone explains what was committed, and what there is at the end
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 900
SECONDS_ALL=${SECONDS_ALL:-60}
source "$(dirname "$0")/../host/cmdpart-clients.sh"
