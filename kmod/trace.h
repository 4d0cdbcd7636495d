/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/ultravisor, `perf trace -e 'ultravisor:*'`. Each costs
 * a patched jump while it is off. What they tell is for people, and not part of the ABI.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ultravisor

#if !defined(_UVR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UVR_TRACE_H

#include <linux/tracepoint.h>
#include <linux/ultravisor.h>

#define UVR_SHOW_KIND(kind) __print_symbolic(kind,		\
	{ ULTRAVISOR_KIND_PARTITION, "partition" },		\
	{ ULTRAVISOR_KIND_CHANNEL, "channel" })

#define UVR_SHOW_EVENT(event) __print_symbolic(event,		\
	{ ULTRAVISOR_EVENT_PARTITION_GONE, "partition_gone" },	\
	{ ULTRAVISOR_EVENT_SERVER_ATTACHED, "server_attached" },\
	{ ULTRAVISOR_EVENT_SERVER_GONE, "server_gone" },	\
	{ ULTRAVISOR_EVENT_PROMOTED, "promoted" },		\
	{ ULTRAVISOR_EVENT_UNSERVED, "unserved" },		\
	{ ULTRAVISOR_EVENT_CLIENT_ATTACHED, "client_attached" },\
	{ ULTRAVISOR_EVENT_CLIENT_GONE, "client_gone" },	\
	{ ULTRAVISOR_EVENT_REVOKED, "revoked" },		\
	{ ULTRAVISOR_EVENT_LEASE_EXPIRED, "lease_expired" },	\
	{ ULTRAVISOR_EVENT_LEASE_RENEWED, "lease_renewed" },	\
	{ ULTRAVISOR_EVENT_HUNG, "hung" })

#define UVR_SHOW_EXIT(kind) __print_symbolic(kind,		\
	{ ULTRAVISOR_EXIT_PIO, "pio" },				\
	{ ULTRAVISOR_EXIT_MMIO, "mmio" },			\
	{ ULTRAVISOR_EXIT_HLT, "hlt" },				\
	{ ULTRAVISOR_EXIT_INTR, "intr" },			\
	{ ULTRAVISOR_EXIT_SHUTDOWN, "shutdown" },		\
	{ ULTRAVISOR_EXIT_FAIL, "fail" },			\
	{ ULTRAVISOR_EXIT_OTHER, "other" })

DECLARE_EVENT_CLASS(uvr_object,
	TP_PROTO(u64 id, u32 kind),
	TP_ARGS(id, kind),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, kind)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->kind = kind;
	),
	TP_printk("id=%llu kind=%s", __entry->id, UVR_SHOW_KIND(__entry->kind))
);

DEFINE_EVENT(uvr_object, uvr_object_create, TP_PROTO(u64 id, u32 kind), TP_ARGS(id, kind));
DEFINE_EVENT(uvr_object, uvr_object_publish, TP_PROTO(u64 id, u32 kind), TP_ARGS(id, kind));
DEFINE_EVENT(uvr_object, uvr_object_destroy, TP_PROTO(u64 id, u32 kind), TP_ARGS(id, kind));
DEFINE_EVENT(uvr_object, uvr_object_free, TP_PROTO(u64 id, u32 kind), TP_ARGS(id, kind));

/* What netlink tells, whether or not anybody listens there. */
TRACE_EVENT(uvr_event,
	TP_PROTO(u32 event, u64 id, u32 slot, u64 epoch),
	TP_ARGS(event, id, slot, epoch),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, epoch)
		__field(u32, event)
		__field(s32, slot)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->epoch = epoch;
		__entry->event = event;
		__entry->slot = slot;
	),
	TP_printk("event=%s id=%llu slot=%d epoch=%llu", UVR_SHOW_EVENT(__entry->event),
		  __entry->id, __entry->slot, __entry->epoch)
);

/* slot: of the server that is rung, or -1: the client is. sunk: there is a sink. */
TRACE_EVENT(uvr_ring,
	TP_PROTO(u64 id, u32 index, u32 slot, bool sunk),
	TP_ARGS(id, index, slot, sunk),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, index)
		__field(s32, slot)
		__field(bool, sunk)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
		__entry->slot = slot;
		__entry->sunk = sunk;
	),
	TP_printk("id=%llu index=%u slot=%d sunk=%d", __entry->id, __entry->index, __entry->slot,
		  __entry->sunk)
);

DECLARE_EVENT_CLASS(uvr_context,
	TP_PROTO(u64 id, u32 index),
	TP_ARGS(id, index),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, index)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
	),
	TP_printk("id=%llu index=%u", __entry->id, __entry->index)
);

/* Into the guest; told to leave it; to sleep, since it may not run. */
DEFINE_EVENT(uvr_context, uvr_context_run, TP_PROTO(u64 id, u32 index), TP_ARGS(id, index));
DEFINE_EVENT(uvr_context, uvr_context_forced, TP_PROTO(u64 id, u32 index), TP_ARGS(id, index));
DEFINE_EVENT(uvr_context, uvr_context_rest, TP_PROTO(u64 id, u32 index), TP_ARGS(id, index));

TRACE_EVENT(uvr_context_exit,
	TP_PROTO(u64 id, u32 index, u32 kind),
	TP_ARGS(id, index, kind),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, index)
		__field(u32, kind)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->index = index;
		__entry->kind = kind;
	),
	TP_printk("id=%llu index=%u kind=%s", __entry->id, __entry->index,
		  UVR_SHOW_EXIT(__entry->kind))
);

/* A deadline was set or moved. Its end is an event. */
TRACE_EVENT(uvr_lease,
	TP_PROTO(u64 id, u64 epoch, u64 deadline),
	TP_ARGS(id, epoch, deadline),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, epoch)
		__field(u64, deadline)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->epoch = epoch;
		__entry->deadline = deadline;
	),
	TP_printk("id=%llu epoch=%llu deadline=%llu", __entry->id, __entry->epoch,
		  __entry->deadline)
);

#endif /* _UVR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
