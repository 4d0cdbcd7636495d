#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: where the host accounts no memory, or has no processor of a context online, the module says so and goes on
# where: host
# timeout: 240
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib/lone.bash"

# The second processor is there and stays off.
lone_host absent "cgroup_disable=memory maxcpus=1" -smp 2
