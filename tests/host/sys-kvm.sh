#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: while 50 guests start and stop, no process but the test host's PID 1 ever holds a KVM descriptor
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 400
source "$(dirname "$0")/lib/guest.bash"

initrd 6.1-cloud 'echo "guest: ready"'
for i in 1 2 3 4 5; do
	definition "many$i" 6.1-cloud 1 128MiB console
	cmdpartctl define "$work/many$i.json"
done

"$repository/build/tests/host/sys/kvmfds" >"$work/seen" &
sampler=$!
for ((round = 0; round < 10; round++)); do
	for i in 1 2 3 4 5; do cmdpartctl start "many$i"; done
	# Some are killed before their kernel has said a word, some after it runs.
	((round % 3 == 0)) && sleep 2
	for i in 1 2 3 4 5; do cmdpartctl kill "many$i"; done
done
kill -TERM $sampler
wait $sampler || fail "KVM descriptors were seen: $(cat "$work/seen")"
cat "$work/seen"

# The sampler does see one where there is one: the attack that it looks for.
"$repository/build/tests/host/sys/kvmfds" >"$work/seen" &
sampler=$!
exec 9</dev/kvm
sleep 1
exec 9<&-
kill -TERM $sampler
wait $sampler && fail "the sampler does not see a KVM descriptor that is there"
grep -q /dev/kvm "$work/seen"
