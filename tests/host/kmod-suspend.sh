#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the host is suspended to memory under guests that run: that time counts for a lease, past whose end no guest is entered; budgets, windows and longer leases go on
# where: host
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/lone.bash"

# The test host's root is on 9p, which does not survive the suspend of its device.
lone_host suspend mem_sleep_default=deep
