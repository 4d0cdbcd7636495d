#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's devices are taken from a living server, by promotion of the standby and by revocation, while the guest writes; it sees a stall, and the old server is a standby again
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"
switch=$repository/build/tests/host/iopartd/switch

writer disk net console
# All three have a standby, so all three can be switched.
switches() { [[ $("$switch" "$1") == 3 ]]; }

pids=$(pgrep iopartd)
for how in promote promote revoke promote revoke revoke promote promote; do
	before=$(writer_last)
	switches "$how" || fail "$how: not all three devices had a standby"
	within 30 writer_advanced "$before"
	within 20 busybox ping -c 1 -W 1 10.77.0.2
	# Revoked descriptors are asked for again after a second.
	[[ $how == promote ]] || sleep 3
done
[[ $(pgrep iopartd) == "$pids" ]] || fail "a server did not live through it"
writer_whole cmdpartctl kill writer
