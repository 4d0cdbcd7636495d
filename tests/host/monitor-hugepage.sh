#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's memory comes in huge pages where the host gives them to shared memory, and in small ones where it does not; by policy in reserved ones, which are counted, refused by name when too few, and taken whole or not at all
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"

setting=/sys/kernel/mm/transparent_hugepage/shmem_enabled
found=$(sed 's/.*\[\(.*\)\].*/\1/' "$setting")
restore() { echo "$found" >"$setting"; }
later restore
[[ $found == advise ]] || fail "the project's tmpfiles did not set $setting: $found"

initrd 6.1-cloud 'echo "guest: up"'
definition huge 6.1-cloud 1 128MiB console
# KiB of the guest's memory that is mapped, and that is mapped by huge pages
mapped() {
	awk -v key="$1:" '/^[0-9a-f]+-/ { guest = /memfd:ultravisor/ } guest && $1 == key { s += $2 }
		END { print s + 0 }' "/proc/$(pgrep -x uvmonitor)/smaps"
}
for mode in never advise; do
	echo "$mode" >"$setting"
	cmdpartctl define "$work/huge.json"
	cmdpartctl start huge
	within 60 console_has huge "guest: up"
	all=$(mapped Rss) huge=$(mapped ShmemPmdMapped)
	echo "$mode: $all KiB mapped, $huge KiB of it by huge pages"
	case $mode in
	never) ((huge == 0)) || fail "huge pages although the host has none for shared memory" ;;
	advise) ((huge * 2 > all)) || fail "less than half is in huge pages" ;;
	esac
	cmdpartctl kill huge
	cmdpartctl undefine huge
done

# Reserved ones, by policy.
reserved=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
policy=/etc/ultravisor/policy.d/huge.json
without() {
	rm -f "$policy"
	cmdpartctl policy reload
	echo 0 >$reserved/nr_hugepages
}
later without
reserve() {
	echo "$1" >$reserved/nr_hugepages
	is "huge pages reserved" "$(cat $reserved/nr_hugepages)" "$1"
}
refused() { # CODE REGEX
	local status=0
	cmdpartctl start huge 2>"$work/error" || status=$?
	is "exit code of a start with too few huge pages" $status "$1"
	has "$work/error" "$2"
}
free_pages() { [ "$(cat $reserved/free_hugepages)" = "$1" ]; }
off() { [[ $(cmdpartctl show huge) == *'state:        defined'* ]]; }

mkdir -p "${policy%/*}"
echo '{ "placement": { "page_size": "2MiB" } }' >"$policy"
cmdpartctl policy reload
sync
echo 3 >/proc/sys/vm/drop_caches
cmdpartctl define "$work/huge.json"
refused 5 'rule huge-pages: free pages of 2 MiB .* node 0, which has most'

reserve 80
cmdpartctl plan huge | grep -E 'huge pages' >/dev/null || fail "the plan does not say huge pages"
cmdpartctl start huge
within 60 console_has huge "guest: up"
is "KiB in reserved pages" "$(mapped Private_Hugetlb)" $((128 << 10))
free_pages 16 || fail "free: $(cat $reserved/free_hugepages)"
is "free for partitions" "$(cmdpartctl host --json | jq '.nodes[0].huge_free')" $((32 << 20))
is "history" "$(cmdpartctl history memory:0 --json | jq '[.history[] | select(.owner == "huge" and .until == null)][0].row.page_size')" 2097152
cmdpartctl verify >"$work/out" || fail "$(cat "$work/out")"
cmdpartctl kill huge
within 10 free_pages 80

# Taken by somebody whom the book does not know.
mount -t hugetlbfs none /mnt
later 'umount /mnt'
fallocate -l 64M /mnt/other
refused 5 'memory in huge pages of huge: Cannot allocate memory'
off || fail "refused, and is $(cmdpartctl show huge)"
free_pages 48 || fail "something is left of the refused start"
rm /mnt/other
cmdpartctl start huge
within 60 console_has huge "guest: up"
cmdpartctl kill huge
cmdpartctl undefine huge
