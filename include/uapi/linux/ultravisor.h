/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The contract of /dev/ultravisor: partitions, channels, grants and contexts.
 *
 * Every object is a file descriptor, and the descriptor is the authority. /dev/ultravisor itself
 * (mode 0600) belongs to the resource daemon uvd; what it hands to other processes are
 * descriptors of one role each: a partition's monitor, a channel's client, one of its servers.
 * docs/abi.md tells who may make each call, every errno with its cause, and the objects' lives.
 *
 * Rules for every command:
 *  - The argument is a struct whose first member, size, is the caller's sizeof. A shorter struct
 *    than the kernel's is read as if zero followed; a longer one is E2BIG unless its tail is zero.
 *  - Reserved members and unknown flags are EOPNOTSUPP unless zero. Unknown commands are ENOTTY.
 *  - Members named out_… are written by the kernel, and only on success.
 *  - Integers are little-endian, times nanoseconds, sizes bytes.
 */
#ifndef _UAPI_LINUX_ULTRAVISOR_H
#define _UAPI_LINUX_ULTRAVISOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ULTRAVISOR_ABI_VERSION	1
#define ULTRAVISOR_IOC		0xBE

#define ULTRAVISOR_UUID_LEN	16
#define ULTRAVISOR_NAME_LEN	64	/* with its terminating zero */
#define ULTRAVISOR_MAX_CONTEXTS	64	/* a partition */
#define ULTRAVISOR_MAX_SERVERS	4	/* a channel, the serving one included */
#define ULTRAVISOR_MAX_BLOCKS	16	/* of memory, a partition */
#define ULTRAVISOR_MAX_DOORBELLS 64	/* a channel, each way */
#define ULTRAVISOR_MAX_AREA	(64U << 20)
#define ULTRAVISOR_CPU_WORDS	16	/* a CPU set: bit n of word n / 64 is CPU n */

enum ultravisor_kind {
	ULTRAVISOR_KIND_PARTITION = 1,
	ULTRAVISOR_KIND_CHANNEL = 2,
};

/* What a descriptor may do. CONTROL roles never leave uvd. */
enum ultravisor_role {
	ULTRAVISOR_ROLE_CONTROL = 1,	/* either kind */
	ULTRAVISOR_ROLE_MONITOR = 2,	/* partition: make its VM, run its contexts */
	ULTRAVISOR_ROLE_CLIENT = 3,	/* channel */
	ULTRAVISOR_ROLE_SERVER = 4,	/* channel, one slot of its list */
};

/* ---- /dev/ultravisor ------------------------------------------------------------------- */

#define ULTRAVISOR_INFO			_IO(ULTRAVISOR_IOC, 0x00)
#define ULTRAVISOR_PARTITION_CREATE	_IO(ULTRAVISOR_IOC, 0x01)
#define ULTRAVISOR_CHANNEL_CREATE	_IO(ULTRAVISOR_IOC, 0x02)
#define ULTRAVISOR_OBJECT_OPEN		_IO(ULTRAVISOR_IOC, 0x03)
#define ULTRAVISOR_OBJECT_NEXT		_IO(ULTRAVISOR_IOC, 0x04)
#define ULTRAVISOR_OBJECT_PUBLISH	_IO(ULTRAVISOR_IOC, 0x05)
#define ULTRAVISOR_OBJECT_DESTROY	_IO(ULTRAVISOR_IOC, 0x06)
#define ULTRAVISOR_PROCESSOR_SET	_IO(ULTRAVISOR_IOC, 0x07)
#define ULTRAVISOR_PROCESSOR_INFO	_IO(ULTRAVISOR_IOC, 0x08)

/*
 * The first call of every client. out_instance is random at each module load: an object's id
 * means something only together with it.
 */
struct ultravisor_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi_version;
	__u32 out_reserved;
	__aligned_u64 out_features;
	__u8 out_instance[ULTRAVISOR_UUID_LEN];
};

/*
 * A new partition is *prepared*: it has an id, nobody but a control descriptor can use it, and
 * it stays so until OBJECT_PUBLISH or OBJECT_DESTROY. transaction is the caller's mark, given
 * back by OBJECT_NEXT, so that a restarted uvd can tell what was committed from what was not.
 * out_fd is a control descriptor. Closing descriptors never destroys an object.
 */
struct ultravisor_partition_create {
	__u32 size;
	__u32 flags;
	__u8 uuid[ULTRAVISOR_UUID_LEN];
	char name[ULTRAVISOR_NAME_LEN];
	__aligned_u64 transaction;
	__aligned_u64 out_id;
	__s32 out_fd;
	__u32 out_reserved;
	/* Limits on the channels that it is the client of; 0: none. Beyond them: EDQUOT. */
	__u32 max_channels;
	__s32 cgroup;			/* with ULTRAVISOR_PARTITION_CGROUP, else 0 */
	__aligned_u64 max_channel_bytes;	/* all areas and header pages */
};

/*
 * cgroup is a descriptor of a version 2 cgroup's directory. What the partition makes the kernel
 * allocate (channels, KVM's structures of its VM) is charged there and not to the caller.
 */
#define ULTRAVISOR_PARTITION_CGROUP	(1U << 0)

/*
 * A new channel is prepared likewise. Its client is the partition client_id, or a process of
 * the host if client_id is 0. Sizes are multiples of 4096; an area of size 0 does not exist.
 * doorbells count each way.
 */
struct ultravisor_channel_create {
	__u32 size;
	__u32 flags;			/* ULTRAVISOR_CHANNEL_… */
	__u32 type;			/* enum of the layers above; in the header as given */
	__u32 layout_version;
	__aligned_u64 client_id;
	__aligned_u64 client_size;
	__aligned_u64 server_size;
	__aligned_u64 private_size;
	__u32 doorbells;
	__u32 reserved;
	__aligned_u64 transaction;
	__u8 uuid[ULTRAVISOR_UUID_LEN];		/* the channel's own */
	__aligned_u64 out_id;
	__s32 out_fd;
	__u32 out_reserved;
	__aligned_u64 answer_ns;	/* deadline for a server to answer a kick; 0: none */
};

/*
 * A server answers a kick by reading the eventfd that it has bound as the doorbell's sink. One
 * that leaves a kick unanswered for answer_ns (1 ms to 1 h) is reported once an epoch by
 * ULTRAVISOR_EVENT_HUNG; nothing else is done to it. Without an unanswered kick no timer runs.
 * A write of the server's own to that eventfd is a kick here, too: one that has read the kick, but
 * has not finished what was asked, writes it and so goes on being watched.
 */

/* The serving endpoint sees the client partition's whole memory, and nobody else's. */
#define ULTRAVISOR_CHANNEL_GRANT	(1U << 0)

/* slot matters to ROLE_SERVER alone. The object must be published unless role is CONTROL. */
struct ultravisor_object_open {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__u32 role;
	__u32 slot;
	__s32 out_fd;
	__u32 out_reserved;
};

/* The object with the smallest id greater than id; ENOENT when there is none. */
struct ultravisor_object_next {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 out_id;
	__u32 out_kind;
	__u32 out_published;
	__aligned_u64 out_transaction;
	__u8 out_uuid[ULTRAVISOR_UUID_LEN];
};

/* PUBLISH (idempotent) and DESTROY. */
struct ultravisor_object {
	__u32 size;
	__u32 flags;
	__aligned_u64 id;
};

/*
 * Gives a processor to partitions, or takes it back. Contexts may run on any processor; real-time
 * priority and windows exist only on those that were given. frame_ns (1 ms to 1 s, or 0: no
 * windows here) is the length of its cyclic frame: frames begin at phase_ns + n * frame_ns on
 * CLOCK_MONOTONIC, phase_ns < frame_ns. EBUSY: taken back, or another frame or phase, while
 * windows or real-time budgets are there.
 */
#define ULTRAVISOR_PROCESSOR_GIVEN	(1U << 0)

struct ultravisor_processor_set {
	__u32 size;
	__u32 flags;			/* ULTRAVISOR_PROCESSOR_GIVEN */
	__u32 cpu;
	__u32 reserved;
	__aligned_u64 frame_ns;
	__aligned_u64 phase_ns;
};

/* ENOENT: this machine cannot have that processor. */
struct ultravisor_processor_info {
	__u32 size;
	__u32 flags;
	__u32 cpu;
	__u32 out_flags;		/* ULTRAVISOR_PROCESSOR_GIVEN */
	__aligned_u64 out_frame_ns;
	__aligned_u64 out_phase_ns;
	__u32 out_dedicated;		/* 1: to one context */
	__u32 out_contexts;		/* that may run here */
	__u32 out_windows;
	__u32 out_realtime_ppm;		/* of windows and real-time budgets, <= 900000 */
};

/* ---- a partition, role CONTROL ----------------------------------------------------------- */

#define ULTRAVISOR_PARTITION_INFO	_IO(ULTRAVISOR_IOC, 0x10)
#define ULTRAVISOR_PARTITION_STOP	_IO(ULTRAVISOR_IOC, 0x11)
#define ULTRAVISOR_PARTITION_RESUME	_IO(ULTRAVISOR_IOC, 0x12)
#define ULTRAVISOR_MEMORY_ADD		_IO(ULTRAVISOR_IOC, 0x13)
#define ULTRAVISOR_CONTEXT_CREATE	_IO(ULTRAVISOR_IOC, 0x14)
#define ULTRAVISOR_CONTEXT_SET		_IO(ULTRAVISOR_IOC, 0x15)
#define ULTRAVISOR_CONTEXT_INFO		_IO(ULTRAVISOR_IOC, 0x16)
#define ULTRAVISOR_LEASE_SET		_IO(ULTRAVISOR_IOC, 0x17)
#define ULTRAVISOR_LEASE_RENEW		_IO(ULTRAVISOR_IOC, 0x18)

enum ultravisor_partition_state {
	ULTRAVISOR_PARTITION_PREPARED = 1,
	ULTRAVISOR_PARTITION_RUNNING = 2,	/* published; its contexts may run */
	ULTRAVISOR_PARTITION_STOPPED = 3,	/* its contexts sleep in the kernel */
	ULTRAVISOR_PARTITION_DEAD = 4,		/* destroyed; a descriptor still points at it */
};

struct ultravisor_partition_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_id;
	__u8 out_uuid[ULTRAVISOR_UUID_LEN];
	char out_name[ULTRAVISOR_NAME_LEN];
	__u32 out_state;
	__u32 out_contexts;
	__u32 out_blocks;
	__s32 out_monitor;		/* process id of the VM's maker for the caller; or 0 */
	__aligned_u64 out_memory;	/* bytes, all blocks */
	__aligned_u64 out_run_ns;	/* guest time of all contexts */
	__aligned_u64 out_exits;
	__aligned_u64 out_stolen_ns;	/* of all contexts */
	__aligned_u64 out_lease_deadline;	/* CLOCK_BOOTTIME; 0: no lease */
	__aligned_u64 out_lease_epoch;
	__u32 out_lease_expired;
	__u32 out_channels;
	__aligned_u64 out_channel_bytes;
};

/* STOP returns when no context executes guest code any more; RESUME lets them go on. Idempotent. */
struct ultravisor_partition_run {
	__u32 size;
	__u32 flags;
};

/*
 * Adds a block: the bytes [0, length) of a memfd (shmem or hugetlb) at guest physical address
 * gpa. The memfd must be sealed F_SEAL_SHRINK | F_SEAL_GROW; before a grant maps it, it must also
 * carry F_SEAL_FUTURE_WRITE | F_SEAL_SEAL, set by the monitor once its own mapping exists.
 */
struct ultravisor_memory_add {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpa;
	__aligned_u64 length;
	__s32 fd;
	__u32 out_index;
};

/*
 * A lease says until when a partition may run: a moment on CLOCK_BOOTTIME, which counts the
 * host's suspended time, too. Past it no instruction of the guest runs, its memory is taken
 * from the servers of its channels, and none of them is promoted, without any daemon's help:
 * the module does it by itself. A renewal in the same epoch lets all of it go on.
 *
 * LEASE_SET gives a partition its lease and the lease's epoch (not 0), once: ESTALE if it has
 * one of another epoch. LEASE_RENEW moves the deadline, before or after it has passed, either
 * way. ENOENT: no lease. ESTALE: another epoch.
 */
struct ultravisor_lease {
	__u32 size;
	__u32 flags;
	__aligned_u64 epoch;
	__aligned_u64 deadline;
};

enum ultravisor_context_mode {
	ULTRAVISOR_CONTEXT_DEDICATED = 1,	/* cpus: one, with no other context */
	ULTRAVISOR_CONTEXT_SHARED = 2,		/* any of cpus, budget_ns a period */
	ULTRAVISOR_CONTEXT_WINDOW = 3,		/* cpus: one; a window in each of its frames */
};

/*
 * Contexts are numbered 0, 1, … within their partition; a vCPU's id is its context's index.
 * budget_ns 0 means no budget (period_ns must then be 0). 1 ms <= period_ns <= 1 s,
 * 100 us <= budget_ns <= period_ns. CONTEXT_SET changes a context while it runs.
 *
 * A window opens window_start_ns after each beginning of its processor's frame, for window_ns
 * (100 us or more) and at real-time priority; it ends within the frame. EBUSY: it overlaps
 * another window. ENXIO: its processor was not given, or has no frame.
 *
 * ULTRAVISOR_CONTEXT_REALTIME, with a budget and one processor, makes the budget a promise: as
 * long as it lasts the runner has real-time priority. EBUSY: windows and real-time budgets
 * would have more than 90 % of the processor.
 */
#define ULTRAVISOR_CONTEXT_REALTIME	(1U << 0)

struct ultravisor_context_set {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 mode;
	__aligned_u64 budget_ns;
	__aligned_u64 period_ns;
	__aligned_u64 cpus[ULTRAVISOR_CPU_WORDS];
	__aligned_u64 window_start_ns;		/* mode WINDOW, else 0 */
	__aligned_u64 window_ns;
};

enum ultravisor_exit {			/* index into out_exits */
	ULTRAVISOR_EXIT_PIO,
	ULTRAVISOR_EXIT_MMIO,
	ULTRAVISOR_EXIT_HLT,
	ULTRAVISOR_EXIT_INTR,
	ULTRAVISOR_EXIT_SHUTDOWN,
	ULTRAVISOR_EXIT_FAIL,
	ULTRAVISOR_EXIT_OTHER,
	ULTRAVISOR_EXIT_NR
};

struct ultravisor_context_info {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 out_mode;
	__aligned_u64 out_budget_ns;
	__aligned_u64 out_period_ns;
	__aligned_u64 out_cpus[ULTRAVISOR_CPU_WORDS];
	__aligned_u64 out_run_ns;		/* time in the guest */
	__aligned_u64 out_throttled;		/* periods in which the budget ran out */
	__aligned_u64 out_forced;		/* times it was forced out of the guest */
	__aligned_u64 out_exits[8];		/* ULTRAVISOR_EXIT_… */
	__aligned_u64 out_window_start_ns;
	__aligned_u64 out_window_ns;
	__u32 out_flags;			/* ULTRAVISOR_CONTEXT_REALTIME */
	__u32 out_reserved;
	__aligned_u64 out_stolen_ns;		/* it might have run, and something else did */
	__aligned_u64 out_rested_ns;		/* stopped, outside its window, or out of budget */
	__aligned_u64 out_windows;		/* that it was there for */
	__aligned_u64 out_late_max_ns;		/* opening of a window: the latest */
	__aligned_u64 out_overruns;		/* left a window or budget more than 20 us late */
	__aligned_u64 out_overrun_max_ns;
};

/* ---- a partition, role MONITOR ------------------------------------------------------------- */

#define ULTRAVISOR_VM_CREATE		_IO(ULTRAVISOR_IOC, 0x20)
#define ULTRAVISOR_VM_KVM		_IO(ULTRAVISOR_IOC, 0x21)
#define ULTRAVISOR_CONTEXT_OPEN		_IO(ULTRAVISOR_IOC, 0x22)
#define ULTRAVISOR_MEMORY_INFO		_IO(ULTRAVISOR_IOC, 0x23)

/*
 * Makes the VM on the caller's address space; no KVM descriptor enters the process. One VM a
 * partition; it is gone with that address space, and the partition cannot get another.
 */
struct ultravisor_vm_create {
	__u32 size;
	__u32 flags;
};

/*
 * Passes one KVM ioctl through, argument untouched; its result is the call's result (at most
 * INT_MAX, as KVM's). On the monitor descriptor, system: KVM_GET_API_VERSION,
 * KVM_CHECK_EXTENSION, KVM_GET_SUPPORTED_CPUID, KVM_GET_VCPU_MMAP_SIZE; VM:
 * KVM_SET_USER_MEMORY_REGION, KVM_SET_TSS_ADDR, KVM_SET_IDENTITY_MAP_ADDR, KVM_CREATE_IRQCHIP,
 * KVM_CREATE_PIT2, KVM_IRQ_LINE, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, KVM_GET_PIT2, KVM_SET_PIT2,
 * KVM_IRQFD, KVM_IOEVENTFD, KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI, KVM_GET_CLOCK, KVM_SET_CLOCK,
 * KVM_ENABLE_CAP (split irqchip and x2APIC capabilities only).
 * On a context: KVM_{GET,SET}_{REGS,SREGS,FPU,LAPIC,MP_STATE,MSRS,XSAVE,XCRS,VCPU_EVENTS,DEBUGREGS,
 * CPUID2,TSC_KHZ}, KVM_INTERRUPT, KVM_NMI, KVM_KVMCLOCK_CTRL, KVM_TRANSLATE.
 * Any other command is EACCES.
 */
struct ultravisor_kvm {
	__u32 size;
	__u32 flags;
	__u32 cmd;			/* KVM_… from <linux/kvm.h> */
	__u32 reserved;
	__aligned_u64 arg;
};

/* Makes the context's vCPU at its first call. mmap of out_fd at 0 is its struct kvm_run. */
struct ultravisor_context_open {
	__u32 size;
	__u32 flags;
	__u32 index;
	__s32 out_fd;
};

/* Also allowed to a channel's server if the channel grants: what may be mapped, and where. */
struct ultravisor_memory_info {
	__u32 size;
	__u32 flags;
	__u32 index;			/* ENOENT: no such block */
	__u32 out_reserved;
	__aligned_u64 out_gpa;
	__aligned_u64 out_length;
};

/* ---- a context -------------------------------------------------------------------------- */

#define ULTRAVISOR_CONTEXT_RUN		_IO(ULTRAVISOR_IOC, 0x30)
#define ULTRAVISOR_CONTEXT_KVM		_IO(ULTRAVISOR_IOC, 0x31)

/*
 * Runs the guest until an exit needs the monitor: 0, and kvm_run tells which. EINTR: a signal,
 * or immediate_exit was set. ESHUTDOWN: the partition was destroyed. While the partition is
 * stopped, or the budget is used up, the call sleeps killably inside the kernel.
 */
struct ultravisor_context_run {
	__u32 size;
	__u32 flags;
};

/* ---- a channel, role CONTROL --------------------------------------------------------------- */

#define ULTRAVISOR_CHANNEL_INFO		_IO(ULTRAVISOR_IOC, 0x40)
#define ULTRAVISOR_SERVER_SET		_IO(ULTRAVISOR_IOC, 0x41)
#define ULTRAVISOR_CHANNEL_PROMOTE	_IO(ULTRAVISOR_IOC, 0x42)
#define ULTRAVISOR_CHANNEL_REVOKE	_IO(ULTRAVISOR_IOC, 0x43)

#define ULTRAVISOR_NO_SLOT		0xffffffffU

enum ultravisor_slot_state {
	ULTRAVISOR_SLOT_EMPTY,		/* no server was named for it */
	ULTRAVISOR_SLOT_ABSENT,		/* named, not attached */
	ULTRAVISOR_SLOT_STANDBY,	/* attached, waits */
	ULTRAVISOR_SLOT_SERVING,
};

struct ultravisor_channel_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_id;
	__aligned_u64 out_client_id;
	__aligned_u64 out_epoch;
	__u8 out_uuid[ULTRAVISOR_UUID_LEN];
	__u32 out_type;
	__u32 out_client_attached;
	__u32 out_serving;		/* slot, or ULTRAVISOR_NO_SLOT */
	__u32 out_revoked;
	__u32 out_slots[ULTRAVISOR_MAX_SERVERS];	/* enum ultravisor_slot_state */
	__u8 out_server_uuids[ULTRAVISOR_MAX_SERVERS][ULTRAVISOR_UUID_LEN];
};

/*
 * Names the server of a slot (a partition's UUID). Among attached servers the one with the
 * lowest slot is promoted when there is none. Naming another one revokes the old one first; an
 * all-zero UUID empties the slot. Descriptors of the old one are stale for good.
 */
struct ultravisor_server_set {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
	__u8 uuid[ULTRAVISOR_UUID_LEN];
};

/* Makes an attached standby the server now. The old server is detached and must attach anew. */
struct ultravisor_channel_promote {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
	__aligned_u64 out_epoch;
};

enum ultravisor_revoke {
	ULTRAVISOR_REVOKE_ALL = 1,	/* both sides, for good */
	ULTRAVISOR_REVOKE_CLIENT = 2,	/* the client's descriptors become stale; open anew */
	ULTRAVISOR_REVOKE_SLOT = 3,	/* one server's, likewise; the next standby is promoted */
};

struct ultravisor_channel_revoke {
	__u32 size;
	__u32 flags;
	__u32 what;
	__u32 slot;
};

/* ---- a channel's endpoint, role CLIENT or SERVER --------------------------------------------- */

#define ULTRAVISOR_ENDPOINT_INFO	_IO(ULTRAVISOR_IOC, 0x50)
#define ULTRAVISOR_ATTACH		_IO(ULTRAVISOR_IOC, 0x51)
#define ULTRAVISOR_DETACH		_IO(ULTRAVISOR_IOC, 0x52)
#define ULTRAVISOR_DOORBELL_BIND	_IO(ULTRAVISOR_IOC, 0x53)
#define ULTRAVISOR_DOORBELL_RING	_IO(ULTRAVISOR_IOC, 0x54)

/*
 * What an endpoint sees, now. poll() on the descriptor: EPOLLIN when the epoch or the peer's
 * attachment has changed since this endpoint's last ENDPOINT_INFO, EPOLLHUP when it is stale.
 */
struct ultravisor_endpoint_info {
	__u32 size;
	__u32 flags;
	__aligned_u64 out_channel_id;
	__aligned_u64 out_epoch;
	__u32 out_role;
	__u32 out_slot;
	__u32 out_attached;		/* by the calling process */
	__u32 out_serving;		/* server: this one serves; client: somebody does */
	__u32 out_peer_attached;	/* server: the client; client: any server */
	__u32 out_doorbells;
};

/*
 * Binds the endpoint to the caller's address space: only that one may map or ring. It ends at
 * DETACH, at revocation, or when that address space ends, whichever is first. One attachment
 * at a time: EBUSY. An endpoint inherited over fork is not attached in the child.
 */
struct ultravisor_attach {
	__u32 size;
	__u32 flags;
};

/*
 * Doorbell index of this channel, as seen from this endpoint.
 * SINK: what the peer rings signals eventfd fd, here, and only while this endpoint is attached
 *   and, if a server, serving. A fresh sink is signalled once, so that nothing rung before is lost.
 * SOURCE (client only): whenever somebody writes eventfd fd (KVM's ioeventfd does), the
 *   doorbell rings at whoever serves.
 * PORT (client that is a partition only): whenever the guest writes I/O port number fd, in
 *   whatever width, the doorbell rings at whoever serves, and the guest goes on: its monitor does
 *   not see the exit. No port that KVM itself emulates, and not port 0x80.
 * fd -1 takes a binding away. A promotion signals all sinks of the new server once.
 */
enum ultravisor_doorbell {
	ULTRAVISOR_DOORBELL_SINK = 1,
	ULTRAVISOR_DOORBELL_SOURCE = 2,
	ULTRAVISOR_DOORBELL_PORT = 3,
};

struct ultravisor_doorbell_bind {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 what;
	__s32 fd;
	__u32 reserved;
};

struct ultravisor_doorbell_ring {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 reserved;
};

/*
 * mmap of an endpoint, MAP_SHARED only, after ATTACH. The area is in the offset's upper bits,
 * the place within it below:
 *
 *             HEADER   CLIENT   SERVER   PRIVATE   MEMORY(n): block n of the client's memory
 *   client    r        rw       r        -         -
 *   server    r        r        rw       rw        rw, only while serving, only if granted
 *   standby   r        -        -        -         -         (may be mapped in advance)
 *
 * Pages appear on touch, and rights are checked at each touch that finds no page: touching what
 * is revoked, or not yet or no longer one's own, is SIGBUS. Losing a role unmaps at once.
 */
#define ULTRAVISOR_AREA_SHIFT		40
#define ULTRAVISOR_AREA_HEADER		0ULL
#define ULTRAVISOR_AREA_CLIENT		1ULL
#define ULTRAVISOR_AREA_SERVER		2ULL
#define ULTRAVISOR_AREA_PRIVATE		3ULL
#define ULTRAVISOR_AREA_MEMORY(n)	(16ULL + (n))
#define ULTRAVISOR_AREA_OFFSET(area)	((area) << ULTRAVISOR_AREA_SHIFT)

/* The header area: one page, written by the kernel alone. Only epoch and server_uuid change. */
#define ULTRAVISOR_CHANNEL_MAGIC	0x314e414843525655ULL	/* "UVRCHAN1" */

struct ultravisor_channel_header {
	__aligned_u64 magic;
	__u32 header_size;		/* sizeof(struct ultravisor_channel_header) */
	__u32 type;
	__u32 layout_version;
	__u32 flags;			/* ULTRAVISOR_CHANNEL_… */
	__aligned_u64 total_size;	/* header page and the three areas */
	__aligned_u64 features;
	__u8 uuid[ULTRAVISOR_UUID_LEN];
	__u8 client_uuid[ULTRAVISOR_UUID_LEN];
	__u8 server_uuid[ULTRAVISOR_UUID_LEN];	/* all zero: nobody serves */
	__aligned_u64 epoch;		/* starts at 0; + 1 at each change of server */
	__aligned_u64 client_size;
	__aligned_u64 server_size;
	__aligned_u64 private_size;
	__u32 doorbells;
	__u32 reserved;
};

/* ---- events: generic netlink --------------------------------------------------------------- */

#define ULTRAVISOR_GENL_NAME		"ultravisor"
#define ULTRAVISOR_GENL_VERSION		1
#define ULTRAVISOR_GENL_GROUP		"events"

/* The one command, sent by the kernel only. Events are hints: read the truth by ioctl. */
enum ultravisor_genl_cmd {
	ULTRAVISOR_GENL_CMD_EVENT = 1,
};

enum ultravisor_event {
	ULTRAVISOR_EVENT_PARTITION_GONE = 1,	/* the VM's address space ended */
	ULTRAVISOR_EVENT_SERVER_ATTACHED,
	ULTRAVISOR_EVENT_SERVER_GONE,
	ULTRAVISOR_EVENT_PROMOTED,
	ULTRAVISOR_EVENT_UNSERVED,		/* a server is gone and no standby is left */
	ULTRAVISOR_EVENT_CLIENT_ATTACHED,
	ULTRAVISOR_EVENT_CLIENT_GONE,
	ULTRAVISOR_EVENT_REVOKED,
	ULTRAVISOR_EVENT_LEASE_EXPIRED,		/* a partition; epoch: the lease's */
	ULTRAVISOR_EVENT_LEASE_RENEWED,		/* likewise, after it had expired */
	ULTRAVISOR_EVENT_HUNG,			/* a server left a kick unanswered for answer_ns */
};

enum ultravisor_genl_attr {
	ULTRAVISOR_ATTR_UNSPEC,
	ULTRAVISOR_ATTR_EVENT,		/* u32, enum ultravisor_event */
	ULTRAVISOR_ATTR_ID,		/* u64, the partition or channel */
	ULTRAVISOR_ATTR_SLOT,		/* u32, of the server concerned */
	ULTRAVISOR_ATTR_EPOCH,		/* u64, after the event */
	ULTRAVISOR_ATTR_PAD,
	__ULTRAVISOR_ATTR_MAX,
};

#define ULTRAVISOR_ATTR_MAX (__ULTRAVISOR_ATTR_MAX - 1)

#endif /* _UAPI_LINUX_ULTRAVISOR_H */
