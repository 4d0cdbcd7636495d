#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the attacks on daemons, monitor and libchannel that unit tests make do succeed on a build without the protections
# where: host
# timeout: 420
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib/weaken.bash"

weaken_copy "$repo/build/unprotected-unit" Makefile scripts common include libchannel monitor iopartd uvd \
	cmdpartd tests/unit
mkdir -p "$work/build"
# What is not weakened is taken over as it was built.
[[ ! -d $repo/build/san ]] || cp -a "$repo/build/san" "$work/build/"

# The TESTs below must fail on it, as PROGRAM NAME.
must_fail=()

# The command channel: whatever the peer's message says of itself is believed.
weaken uvd/message.c 'if (r->length != size || size > left)' 'if (r->length > left)'
must_fail+=("uvd/test_message test_a_wrong_size_is_refused")
weaken uvd/message.c '(internal && type >= INTERNAL_FIRST)' 'type >= INTERNAL_FIRST'
must_fail+=("uvd/test_message test_operations_of_uvd_itself_are_refused_from_outside")
weaken uvd/message.c 'if (!text_ok(text, field->size))' 'if (!text_ok(text, field->size) && !field)'
must_fail+=("uvd/test_message test_unterminated_and_dirty_strings_are_refused")

# What was committed and not yet published stays so after uvd's restart.
weaken uvd/reconcile.c 'rc = kernel_object_publish(uvd->kernel, d->object);' 'rc = 0;'
must_fail+=("uvd/test_crash_matrix test_whatever_ends_uvd_leaves_all_or_nothing")

# Whoever decided by rows that have changed since is believed.
weaken uvd/transaction.c 'if (!seen || seen == before)' 'if (before + 1)'
must_fail+=("uvd/test_clients test_sixteen_clients_are_served_in_the_ledgers_order")

# A role may use every file and every bridge.
weaken cmdpartd/access.c 'if (!below(real, r->path[i]))' 'if (!below(real, r->path[i]) && !path)'
must_fail+=("cmdpartd/test_policy a_role_uses_files_below_its_directories_only")
weaken cmdpartd/access.c 'if (r->any_bridge)' 'if (v)'
must_fail+=("cmdpartd/test_policy a_role_uses_its_bridges_only")

# HTTP: bodies of any size, clients that take any time.
weaken common/http_server.c 'if (r->length + *n > r->connection->server->config.max_body)' 'if (!r)'
must_fail+=("common/test_http a_chunked_body_beyond_the_limit_is_refused_too")
weaken common/http_server.c 'now > c->deadline)' 'now > c->deadline + 3600)'
must_fail+=("common/test_http half_a_request_is_cut_off_and_delays_nobody"
	"common/test_http a_request_that_drips_is_cut_off")

# A process that is no longer root has kept a way back, or what root may.
weaken common/privileges.c 'setresuid(uid, uid, uid)' 'seteuid(uid)'
weaken common/privileges.c 'return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;' 'return 0;'
weaken common/privileges.c 'capng_apply(geteuid() == 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0' '0'
must_fail+=("common/test_privileges test_a_user_stays_who_it_is")
((EUID)) || must_fail+=("common/test_privileges test_root_becomes_a_user_for_good"
	"common/test_privileges test_root_keeps_what_is_named")

# Whoever reaches the console socket reads and types.
weaken iopartd/consolesock.c '(peer.uid == 0 || peer.uid == s->allowed)' 'peer.pid'
must_fail+=("iopartd/test_console nobody_but_root_and_one_user_may_ask")

# libchannel believes its peer's counters and geometry.
weaken libchannel/packet.c 'if (consumed - p->out.consumed > produced(p) - p->out.consumed)' 'if (!p)'
must_fail+=("libchannel/test_hostile a_report_beyond_what_was_sent_breaks_the_channel")
weaken libchannel/channel.c 'if (sizes[i] % PAGE || sizes[i] > ULTRAVISOR_MAX_AREA)' 'if (!g)'
must_fail+=("libchannel/test_channel impossible_geometry_is_refused")

# The I/O partition believes the guest's driver.
weaken iopartd/virtqueue.c 'if (waiting > q->size)' 'if (!q)'
must_fail+=("iopartd/test_virtqueue the_available_index_moves_by_the_size_at_most")
weaken iopartd/virtqueue.c 'if (!writable && to->writable)' 'if (!to)'
must_fail+=("iopartd/test_virtqueue readable_after_writable_is_refused")
weaken iopartd/virtqueue.c 'if (from->desc % 16 || from->driver % 2 || from->device % 4)' 'if (!q)'
must_fail+=("iopartd/test_virtqueue queues_are_checked_when_they_are_set_up")

# A new server submits at once, whoever still holds the fence.
weaken iopartd/fence.c 'flock(f->fd, LOCK_EX | LOCK_NB)' '0 * flock(f->fd, LOCK_UN)'
must_fail+=("iopartd/test_fence nothing_is_submitted_before_the_old_lock_is_gone")

# A new server of an NBD disk is connected while the old one's requests are under way.
weaken uvd/nbd.c '} else if (connections) {' '} else if (connections > 99) {'
must_fail+=("uvd/test_nbd test_a_connection_that_the_server_has_left_is_waited_for")

# The monitor takes what the driver writes.
weaken monitor/virtio_pci.c '(v->driver_features & ~offered(v) || !(v->driver_features & VERSION_1))' 'false'
must_fail+=("monitor/test_virtio_pci features_that_were_not_offered_are_refused")
weaken monitor/virtio_pci.c 'q->enabled = queue_sound(v, &q->setup);' 'q->enabled = queue_sound(v, &q->setup) || true;'
must_fail+=("monitor/test_virtio_pci absurd_queues_are_refused")
weaken monitor/virtio_pci.c 'if (q->enabled || v->status & VIRTIO_CONFIG_S_DRIVER_OK)' 'if (!q)'
must_fail+=("monitor/test_virtio_pci a_queue_in_use_does_not_change")

mapfile -t programs < <(printf '%s\n' "${must_fail[@]%% *}" | sort -u)
make -j2 -C "$work" WARN= "${programs[@]/#/build/tests/unit/}" >"$work/build.log" 2>&1 ||
	{ tail -n 20 "$work/build.log" && fail "the unprotected programs do not build"; }
for p in "${programs[@]}"; do
	timeout 60 "$work/build/tests/unit/$p" >"$work/${p//\//-}.log" 2>&1 </dev/null &
done
wait
for t in "${must_fail[@]}"; do
	log=$work/$(tr / - <<<"${t%% *}").log
	grep -qE "^\[  FAILED  \] (.*: )?${t#* }" "$log" ||
		{ tail -n 40 "$log" && fail "without its protection this should fail: $t"; }
done
echo "${#must_fail[@]} attacks succeed without the protections"
