#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest that is asked to stop before it listens for its power button powers off soon after it does, although uvd was killed and restarted in between
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 150
source "$(dirname "$0")/lib/guest.bash"

# Its PID 1 is the usual one, except that it waits before it listens.
sed 's|^	powerbtn .*|	until [ -e /listen ]; do sleep 0.1; done; &|' \
	"$repository/testhost/guest-init.sh" >"$work/init"
grep -q 'until.*powerbtn' "$work/init" || fail "the guest's init no longer listens where this test thinks"
chmod 755 "$work/init"
initrd 6.1-cloud 'echo "guest: is deaf"
read -r line
echo "guest: opens its ears"
touch /listen' --file "$work/init:init"
definition deaf 6.1-cloud 1 128MiB console
cmdpartctl define "$work/deaf.json"
cmdpartctl start deaf
within 60 console_has deaf 'guest: is deaf'

cmdpartctl stop deaf --timeout 60 >"$work/stop" 2>&1 &
stop=$!
within 10 state_is deaf stopping
old=$(pgrep -x uvd)
kill -KILL "$old"
new_uvd() { local now; now=$(pgrep -x uvd) && [[ $now != "$old" ]] && state_is deaf stopping; }
within 20 new_uvd
# By now the stop's press and the restarted uvd's first one have gone unheard, and a later one.
sleep 6
state_is deaf stopping || fail "it stopped although it does not listen"
console_has deaf 'guest: power button' && fail "it listened too early"

(sleep 0.5; echo; sleep 3) | timeout 20 cmdpartctl console deaf >"$work/typed" 2>&1 || true
within 30 state_is deaf defined
console_has deaf 'guest: power button' || fail "it went off without its power button"
wait "$stop" || fail "stop: $(cat "$work/stop")"
