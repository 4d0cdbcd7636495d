#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: uvd --inventory says without root what a first start would set aside of this host, in the words in which cmdpartctl host then reports it
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 30
. "$(dirname "$0")/lib.sh"

# The same words, however wide the columns are.
words() { sed -E 's/ +/ /g; s/^ //'; }

state=$(stat -c '%Y %s' /var/lib/ultravisor)
setpriv --reuid nobody --clear-groups uvd --inventory --state "$tmp/none" | words >"$tmp/before"
is "/var/lib/ultravisor" "$(stat -c '%Y %s' /var/lib/ultravisor)" "$state"
[ ! -e "$tmp/none" ] || fail "a dry run made its state directory"
cmdpartctl host | words >"$tmp/after"
# What was available at the first start is another amount now.
for title in host memory CPUs "CPUs for partitions"; do
	is "$title" "$(grep "^$title:" "$tmp/before")" "$(grep "^$title:" "$tmp/after")"
done
has "$tmp/before" '^for partitions: [0-9.]+ [MG]iB$'
has "$tmp/before" '^why these: default: not the core of CPU 0; .* half of the .* available at first start$'
table() { sed -n '/^CPU NODE/,/^$/p' "$1"; }
is "the processors" "$(table "$tmp/before")" "$(table "$tmp/after")"
# A second start takes nothing anew, and that is said.
uvd --inventory | grep >/dev/null 'has had its first start' || fail "$(uvd --inventory)"
