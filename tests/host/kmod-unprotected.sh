#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the attacks on the module that its tests make do succeed on a build without the protections
# where: host
# timeout: 420
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib/weaken.bash"

weaken_copy "$repo/build/unprotected" kmod Kbuild include

# The TESTs below must fail on it, as PROGRAM NAME.
must_fail=()

# Revocation leaves mappings where they are.
weaken kmod/area.c 'unmap_mapping_range(channel->inode->i_mapping, 0, header_only ? PAGE_SIZE : 0, 1);' ';'
must_fail+=("channel the promoted one takes everything from the old one"
	"channel revoking all ends the channel" "channel destroying revokes"
	"grant revocation leaves the owner alone"
	"race an old server writes nothing after the change")

# A standby has the rights of a server.
weaken kmod/area.c 'serving ? server : standby' 'serving || standby ? server : standby'
must_fail+=("channel a standby maps in advance and touches when it serves"
	"grant only the serving one sees the memory")

# What may be mapped read-only may be raised.
weaken kmod/area.c '(may & VM_WRITE ? 0 : VM_MAYWRITE)' '0'
must_fail+=("channel mappings beyond the role are refused")

# Memory is granted whose owner can cut holes into it.
weaken kmod/grant.c '(seals(file_inode(block->file)) & SEALS_TO_GRANT) == SEALS_TO_GRANT' 'true'
must_fail+=("grant without the seals there is no grant")

# Whoever holds a copy of a descriptor is attached.
weaken kmod/endpoint.c 'attachment && attachment->notifier.mm == mm' 'attachment'
must_fail+=("channel a child inherits no attachment and no mapping")

# Every KVM command passes.
weaken kmod/vm.c 'if (list[count] == cmd)' 'if (list[count] || cmd)'
must_fail+=("attack only listed KVM commands pass")

# Budgets are kept, and not looked at.
weaken kmod/budget.c 'return b->used < b->budget ? b->budget - b->used : 0;' 'return b->budget;'
must_fail+=("context a budget bounds the guest's time")

# Any processor will do.
weaken kmod/runner.c 'unlikely(!cpumask_subset(current->cpus_ptr, context->cpus))' 'false'
must_fail+=("context contexts stay on their processors")

sed -i "s/ -Werror//" "$work/Kbuild"	# warnings are of no account in what was weakened
make -C "$work/kmod" KDIR="$repo/build/kernels/6.1/kdir" OUT="$work/out" >"$work/build.log" 2>&1 ||
	{ tail -n 20 "$work/build.log" && fail "the unprotected module does not build"; }

cat >"$work/run" <<END
rmmod ultravisor
insmod $work/out/ultravisor.ko
$(for t in "${must_fail[@]}"; do
	printf '%q "%s" 2>&1\n' "$repo/build/tests/host/kmod/${t%% *}" "${t#* }"
done)
END
"$appliance" --no-daemons --timeout 200 -- bash "$work/run" >"$work/log" ||
	[[ $? -eq 1 ]] || { cat "$work/log" && fail "the test host"; }
for t in "${must_fail[@]}"; do
	grep -q "^FAILED ${t#* } (" "$work/log" ||
		{ cat "$work/log" && fail "without its protection this should fail: ${t#* }"; }
done
echo "${#must_fail[@]} attacks succeed without the protections"
