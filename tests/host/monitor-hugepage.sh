#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: a guest's memory comes in huge pages where the host gives them to shared memory, and in small ones where it does not
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
