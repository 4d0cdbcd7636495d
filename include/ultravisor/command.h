/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command channel: messages between cmdpartd (client) and uvd (server).
 *
 * One packet is one message: a header, then count records, each of the one exact size that its
 * type has in command_record_size(). Little-endian, no pointers, no JSON; strings are in fixed
 * fields, terminated, and zero to the field's end; UUIDs are 16 bytes in RFC 4122 order. A request
 * to transact is one whole transaction: all of its operations happen, or none.
 *
 * A request id is the author's: repeating a request after a lost reply, or after either daemon's
 * restart, returns the first answer and changes nothing (kept for the last 100,000 transactions).
 */
#ifndef ULTRAVISOR_COMMAND_H
#define ULTRAVISOR_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#define COMMAND_MAGIC		0x444d4355u	/* "UCMD" */
#define COMMAND_VERSION		4
#define COMMAND_MAX_RECORDS	1024u
#define COMMAND_MAX_LENGTH	(256u * 1024u)
#define COMMAND_LAYOUT_VERSION	1
#define COMMAND_CLIENT_SIZE	(512u * 1024u)	/* ring towards uvd */
#define COMMAND_SERVER_SIZE	(512u * 1024u)	/* ring towards cmdpartd */
#define COMMAND_DOORBELLS	1

#define COMMAND_NAME_LEN	64
#define COMMAND_DEVICE_LEN	32
#define COMMAND_PATH_LEN	512
#define COMMAND_CMDLINE_LEN	1024
#define COMMAND_BRIDGE_LEN	16
#define COMMAND_SERIAL_LEN	24
#define COMMAND_ZONE_LEN	32
#define COMMAND_ADDRESSES_LEN	192
#define COMMAND_MAX_TALKS	4	/* other zones */
#define COMMAND_TALKS_LEN	128	/* COMMAND_MAX_TALKS names and commas */
#define COMMAND_MAX_QUEUES	8	/* of a disk */
#define COMMAND_MAX_PAIRS	3	/* pairs of queues, of a network card */
#define COMMAND_MAX_SERIAL	20	/* bytes: VIRTIO_BLK_ID_BYTES */
#define COMMAND_MAX_VLAN	4094
#define COMMAND_MAX_BURST_MS	60000
#define COMMAND_HISTORY_LEN	3072
#define COMMAND_CPU_WORDS	16	/* CPU n is bit n % 64 of word n / 64 */
#define COMMAND_MAX_SERVERS	4
#define COMMAND_HUGE_PAGE	(2u << 20)	/* bytes */
#define COMMAND_EXITS		8
#define COMMAND_NONE		0xffffffffu

enum command_kind {
	COMMAND_TRANSACT = 1,	/* records: operations */
	COMMAND_PLAN = 2,	/* likewise; the same code runs, then everything is rolled back */
	COMMAND_QUERY = 3,	/* exactly one record, COMMAND_QUERY_… */
	COMMAND_REPLY = 4,	/* records: rows */
	COMMAND_RENEW = 5,	/* records: COMMAND_LEASE_RENEW; nothing of it is recorded */
};

enum command_status {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1,		/* a system call or process failed; text says which */
	COMMAND_INVALID = 2,		/* message or operation is malformed */
	COMMAND_NOT_FOUND = 3,
	COMMAND_CONFLICT = 4,		/* generation, state or owner is another */
	COMMAND_RESOURCES = 5,
	COMMAND_DENIED = 6,
	COMMAND_READ_ONLY = 7,		/* the database cannot be written now; nothing happened */
	/* The commit broke off: nothing happened, but uvd, started again, may find it done. */
	COMMAND_UNKNOWN = 8,
};

struct command_header {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint32_t length;		/* of the whole message, bytes */
	uint32_t count;
	uint8_t request_id[16];		/* a reply has its request's */
	uint32_t status;		/* reply: enum command_status */
	uint32_t failed;		/* reply: index of the record at fault, or COMMAND_NONE */
	uint64_t transaction;		/* reply: ledger number, also of a refused one; 0: none */
	uint32_t more;			/* reply to a query: 1, ask for what is after it */
	uint32_t uid;			/* request: who asked cmdpartd, … */
	uint32_t pid;			/* … and by which process; 0: cmdpartd itself */
	uint32_t reserved;		/* 0 */
	uint64_t epoch;			/* request: of the leading opsd, if that asked; else 0 */
	char who[COMMAND_NAME_LEN];	/* request: for people: "root", "alice", "opsd"; UTF-8 */
	char text[256];			/* request: the reason given, UTF-8; reply: what is wrong */
	char fix[128];			/* reply: what to do about it */
};

struct command_record {
	uint16_t type;
	uint16_t flags;			/* 0 */
	uint32_t length;		/* of the whole record */
	uint64_t generation;		/* operation: subject row's, as its author saw it; 0: any */
};

enum command_type {
	/* Operations. Subject in brackets: the row whose generation is checked and raised. */
	COMMAND_PARTITION_DEFINE = 1,	/* [partition: must not exist] */
	COMMAND_DEVICE_DEFINE = 2,	/* of a partition defined earlier in the message */
	COMMAND_PARTITION_UNDEFINE = 3,	/* [partition: defined, not running] */
	COMMAND_PARTITION_START = 4,	/* [partition] needs the assigns, claims, channels below */
	COMMAND_PARTITION_STOP = 5,	/* [partition] presses the power button */
	COMMAND_PARTITION_KILL = 6,	/* [partition] pulls the plug; releases everything */
	COMMAND_PARTITION_PAUSE = 7,	/* [partition] */
	COMMAND_PARTITION_RESUME = 8,	/* [partition] */
	COMMAND_MEMORY_ASSIGN = 9,	/* [partition] */
	COMMAND_MEMORY_RELEASE = 10,	/* [partition: not running] */
	COMMAND_PROCESSOR_ASSIGN = 11,	/* [partition] one vCPU's context */
	COMMAND_PROCESSOR_RELEASE = 12,	/* [partition: not running] all of its contexts */
	COMMAND_DEVICE_CLAIM = 13,	/* [device's row; created at first claim] */
	COMMAND_DEVICE_RELEASE = 14,	/* [device's row] partition not running */
	COMMAND_CHANNEL_CREATE = 15,	/* [partition] the I/O channel of one of its devices */
	COMMAND_CHANNEL_CONNECT = 16,	/* [channel] its servers, in order */
	COMMAND_CHANNEL_DESTROY = 17,	/* [channel] partition not running */
	COMMAND_DOMAIN_CREATE = 18,	/* [domain: must not exist] */
	COMMAND_DOMAIN_DESTROY = 19,	/* [domain: empty] */
	COMMAND_HOST_POOL = 20,		/* what partitions may use of the host */
	COMMAND_HOST_STOP = 21,		/* [host] from now on nothing is started */
	COMMAND_HOST_START = 22,	/* [host] partitions may be started again */
	COMMAND_PARTITION_MODIFY = 23,	/* [partition] its definition's processor time */
	COMMAND_DOMAIN_MODIFY = 24,	/* [domain] processors, memory, frame */
	COMMAND_DOMAIN_ASSIGN = 25,	/* [partition: not running] to another domain */
	COMMAND_CHANNEL_REVOKE = 26,	/* [channel] its server's endpoint: the standby serves */
	COMMAND_DEVICE_RESET = 27,	/* [device's row] what the host holds for it, made anew */
	COMMAND_PARTITION_EXPECT = 28,	/* [partition] nothing: what is so already stays so */
	COMMAND_DOMAIN_EXPECT = 29,	/* [domain] likewise */
	COMMAND_DEVICE_MODIFY = 30,	/* [partition] the limits of one of its devices */
	COMMAND_DEVICE_RESIZE = 31,	/* [device's row] a disk is as large as its backing now */
	COMMAND_CHANNEL_PROMOTE = 32,	/* [channel] one of its standbys serves, and no other */

	COMMAND_QUERY_ROWS = 64,
	COMMAND_QUERY_EVENTS = 66,
	COMMAND_LEASE_RENEW = 65,	/* from now on, for the time that the definition says */

	/* Rows, in replies. A plan's or transaction's reply has the rows as they are after it. */
	COMMAND_ROW_HOST = 128,
	COMMAND_ROW_PROCESSOR = 129,
	COMMAND_ROW_MEMORY = 130,
	COMMAND_ROW_DOMAIN = 131,
	COMMAND_ROW_PARTITION = 132,
	COMMAND_ROW_DEVICE = 133,
	COMMAND_ROW_CHANNEL = 134,
	COMMAND_ROW_CONTEXT = 135,
	COMMAND_ROW_LEDGER = 136,
	COMMAND_ROW_HISTORY = 137,
	COMMAND_ROW_COMPARED = 138,
	COMMAND_ROW_DIFFERENCE = 139,
	COMMAND_ROW_EVENT = 140,
	COMMAND_ROW_CHANGED = 141,
};

enum command_partition_kind {
	PARTITION_GUEST = 1, PARTITION_IO = 2, PARTITION_COMMAND = 3,
	PARTITION_OPERATIONS = 4, PARTITION_ULTRAVISOR = 5,
};

enum command_partition_state {
	PARTITION_DEFINED = 1,	/* off */
	PARTITION_STARTING = 2,	/* committed; its process is not yet known to run */
	PARTITION_RUNNING = 3,
	PARTITION_PAUSED = 4,
	PARTITION_STOPPING = 5,	/* power button pressed, guest has not powered off yet */
	PARTITION_FAILED = 6,	/* off; the last run ended badly, reason in its row */
};

enum command_mode { MODE_SHARED = 1, MODE_DEDICATED = 2, MODE_WINDOW = 3 };
#define PROCESSOR_REALTIME (1u << 0)	/* shared, with a budget: real-time priority inside it */
#define PROCESSOR_REALTIME_PPM 900000u	/* of a CPU: windows and real-time budgets together */

/* Millionths of a CPU that time in every period takes; never less than it takes. */
static inline uint64_t command_ppm(uint64_t time_ns, uint64_t period_ns)
{
	return period_ns ? (time_ns * 1000000u + period_ns - 1) / period_ns : 0;
}

enum command_device { DEVICE_BLOCK = 1, DEVICE_NETWORK = 2, DEVICE_CONSOLE = 3 };
#define DEVICE_READONLY (1u << 0)

/* How a device is served; what is not its type's is zero. */
struct command_settings {
	uint32_t queues;		/* 1 … COMMAND_MAX_QUEUES; card: pairs; console: 1 */
	uint32_t vlan;			/* network: 1 … COMMAND_MAX_VLAN; 0: none */
	char serial[COMMAND_SERIAL_LEN];	/* block; "": its name */
	char zone[COMMAND_ZONE_LEN];	/* network; "": "default" */
	char talks[COMMAND_TALKS_LEN];	/* network; zones that it also talks to: "db,cache" */
	char addresses[COMMAND_ADDRESSES_LEN];	/* network; common/addresses.h; "": any */
	/* Limits. A second: a disk's requests, a card's packets; and bytes. 0: none. */
	uint64_t operations;
	uint64_t bytes;
	uint64_t burst_ms;		/* what may be saved up; 0 if there is no limit */
};

struct command_partition_define {
	struct command_record r;
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	char domain[COMMAND_NAME_LEN];
	uint32_t vcpus;
	uint32_t mode;			/* enum command_mode */
	uint32_t flags;			/* PROCESSOR_… */
	uint32_t reserved;
	uint64_t budget_ns, period_ns;	/* both 0: no budget */
	uint64_t window_ns;		/* of each frame; mode WINDOW, else 0 */
	uint64_t lease_ns;		/* 0: it runs without a lease */
	uint64_t memory;		/* bytes, a multiple of 2 MiB */
	char kernel[COMMAND_PATH_LEN];
	char initrd[COMMAND_PATH_LEN];	/* "": none */
	char cmdline[COMMAND_CMDLINE_LEN];
};

struct command_device_define {
	struct command_record r;
	uint8_t partition[16];
	char name[COMMAND_DEVICE_LEN];	/* unique within the partition */
	uint32_t device;		/* enum command_device */
	uint32_t flags;			/* DEVICE_READONLY: block only */
	char path[COMMAND_PATH_LEN];	/* block: file or block device; else "" */
	char bridge[COMMAND_BRIDGE_LEN];/* network; else "" */
	uint8_t mac[8];			/* network: 6 bytes */
	struct command_settings settings;
};

/* Limits alone change: what else of settings is another than the definition's is refused. */
struct command_device_modify {
	struct command_record r;
	uint8_t partition[16];
	char name[COMMAND_DEVICE_LEN];
	struct command_settings settings;
};

/* While it is on, each context must be assigned anew in the same message. */
struct command_partition_modify {
	struct command_record r;
	uint8_t partition[16];
	uint32_t mode;
	uint32_t flags;			/* PROCESSOR_… */
	uint64_t budget_ns, period_ns, window_ns;
};

/* UNDEFINE, START, STOP, KILL, PAUSE, RESUME, MEMORY_RELEASE, PROCESSOR_RELEASE, LEASE_RENEW. */
struct command_partition {
	struct command_record r;
	uint8_t partition[16];
};

struct command_memory_assign {
	struct command_record r;
	uint8_t partition[16];
	uint64_t bytes;
	uint32_t node;
	uint32_t page_size;		/* 0: small ones; or COMMAND_HUGE_PAGE */
};

struct command_processor_assign {
	struct command_record r;
	uint8_t partition[16];
	uint32_t index;			/* of the context, from 0 */
	uint32_t mode;
	uint32_t flags;			/* PROCESSOR_… */
	uint32_t reserved;
	uint64_t budget_ns, period_ns;
	uint64_t window_start_ns;	/* behind the beginning of each frame */
	uint64_t window_ns;
	/* exactly one if dedicated, window or real-time */
	uint64_t cpus[COMMAND_CPU_WORDS];
};

/* DEVICE_CLAIM, _RELEASE, _RESET, _RESIZE: of what a device's definition names on the host. */
struct command_device_op {
	struct command_record r;
	uint8_t partition[16];
	char name[COMMAND_DEVICE_LEN];
};

/* CHANNEL_CREATE, _DESTROY, _REVOKE: the author names the channel's UUID. */
struct command_channel {
	struct command_record r;
	uint8_t channel[16];
	uint8_t partition[16];
	char name[COMMAND_DEVICE_LEN];	/* the device it is for */
};

/* For who saw it served in this epoch: in another one, somebody else has chosen meanwhile. */
struct command_channel_promote {
	struct command_record r;
	uint8_t channel[16];
	uint8_t partition[16];
	char name[COMMAND_DEVICE_LEN];
	uint32_t slot;
	uint32_t reserved;
	uint64_t epoch;
};

struct command_channel_connect {
	struct command_record r;
	uint8_t channel[16];
	uint32_t servers;		/* 1 … COMMAND_MAX_SERVERS, slot 0 serves first */
	uint32_t reserved;
	uint8_t server[COMMAND_MAX_SERVERS][16];	/* I/O partitions */
};

struct command_domain_assign {
	struct command_record r;
	uint8_t partition[16];
	char domain[COMMAND_NAME_LEN];
};

struct command_domain {
	struct command_record r;
	char name[COMMAND_NAME_LEN];
	uint64_t memory;		/* bytes of the host's pool; DESTROY: 0, like the others */
	uint64_t cpus[COMMAND_CPU_WORDS];
	uint64_t frame_ns;		/* cyclic frame of its CPUs; 0: no windows here */
	uint64_t phase_ns;		/* of the frame, on CLOCK_MONOTONIC */
};

struct command_host_pool {
	struct command_record r;
	uint64_t memory;		/* bytes */
	uint64_t cpus[COMMAND_CPU_WORDS];
};

/* HOST_STOP, HOST_START. */
struct command_host_run {
	struct command_record r;
};

/*
 * Asks for rows of one type, in order of their keys, greater than after (a number: CPU, node,
 * ledger, history) or after the row named after_name; name, if not "", asks for this partition's
 * alone.
 */
struct command_query {
	struct command_record r;
	uint32_t row;			/* enum command_type, COMMAND_ROW_… */
	uint32_t limit;			/* 0: as many as fit */
	uint64_t after;
	/* "partition" or "partition/device" */
	char after_name[COMMAND_NAME_LEN + COMMAND_DEVICE_LEN];
	char name[COMMAND_NAME_LEN];	/* a partition's name, or its UUID in text */
	/* ROW_HISTORY, else zero; ROW_LEDGER: noun "request", key the text of its id. */
	uint64_t at_ns;			/* what was so at that time, CLOCK_REALTIME; 0: all of it */
	char noun[16];			/* "": what has this key, or this owner */
	char key[COMMAND_PATH_LEN];	/* "3" is of every list of CPUs with 3 in it */
};

struct command_row_host {
	struct command_record r;
	uint8_t host[16];
	uint8_t instance[16];		/* of the module, since its load; zero: no module */
	uint64_t memory_total, memory_pool, memory_assigned;
	uint32_t cpus_total, cpus_pool;
	uint64_t cpus[COMMAND_CPU_WORDS];	/* the pool */
	uint64_t transactions;		/* ledger's last number */
	uint32_t read_only;
	uint32_t pool_is_default;	/* not set by HOST_POOL */
	uint32_t stopping;		/* HOST_STOP: nothing is started */
	uint32_t reserved;
	char name[COMMAND_NAME_LEN];
	char pool_reason[256];		/* default pool: why these */
};

struct command_row_processor {
	struct command_record r;
	uint32_t cpu, node, package, core;
	uint64_t siblings[COMMAND_CPU_WORDS];	/* SMT, itself included */
	uint32_t in_pool;
	uint32_t contexts;		/* that may run on it and do not have it for themselves */
	uint32_t windows;		/* those of them with a window */
	uint32_t realtime_ppm;		/* of windows and real-time budgets */
	uint64_t frame_ns, phase_ns;	/* its domain's */
	char domain[COMMAND_NAME_LEN];	/* "": none */
	uint8_t owner[16];		/* partition that has it dedicated; zero: none */
	char owner_name[COMMAND_NAME_LEN];
};

struct command_row_memory {
	struct command_record r;
	uint32_t node;
	uint32_t huge_free;		/* huge pages that the host reserved and no partition has */
	uint64_t total, pool, assigned;
};

struct command_row_domain {
	struct command_record r;
	char name[COMMAND_NAME_LEN];
	uint64_t memory, memory_assigned;
	uint64_t cpus[COMMAND_CPU_WORDS];
	uint64_t frame_ns, phase_ns;
	uint32_t partitions;
	uint32_t reserved;
};

struct command_row_partition {
	struct command_record r;	/* generation: the row's */
	uint8_t partition[16];
	char name[COMMAND_NAME_LEN];
	char domain[COMMAND_NAME_LEN];
	uint32_t kind, state;
	uint32_t vcpus, mode;
	uint32_t flags;			/* PROCESSOR_… */
	uint32_t lease_expired;		/* no guest instruction runs until it is renewed */
	uint64_t budget_ns, period_ns, window_ns, memory;
	uint64_t lease_ns;		/* 0: it runs without a lease */
	uint64_t lease_epoch;		/* 0: it is off, or has none */
	uint64_t lease_left_ns;
	uint64_t memory_assigned;
	uint32_t node;
	int32_t pid;			/* of its process, 0: none known */
	uint64_t module_id;		/* 0: no kernel object */
	uint64_t run_ns, exits, stolen_ns;	/* from the module */
	uint64_t started_ns;		/* CLOCK_REALTIME of the last start, 0: never */
	uint32_t reboots;
	uint32_t devices;
	uint64_t changed;		/* the transaction that last raised the generation, … */
	char changed_by[COMMAND_NAME_LEN];	/* … and its author; "": not known any more */
	char kernel[COMMAND_PATH_LEN];
	char initrd[COMMAND_PATH_LEN];
	char cmdline[COMMAND_CMDLINE_LEN];
	char reason[256];		/* state FAILED, or how the last run ended */
};

struct command_row_device {
	struct command_record r;	/* generation: the device row's, 0: not claimed */
	uint8_t partition[16];
	char partition_name[COMMAND_NAME_LEN];
	char name[COMMAND_DEVICE_LEN];
	uint32_t device, flags;
	uint32_t claimed;
	uint32_t rank;			/* order in the definition, and in the guest */
	char path[COMMAND_PATH_LEN];
	char bridge[COMMAND_BRIDGE_LEN];
	char tap[COMMAND_BRIDGE_LEN];	/* network, while claimed */
	uint8_t mac[8];
	struct command_settings settings;
	uint64_t size;			/* block, while claimed: bytes that its guest was told of */
};

struct command_row_channel {
	struct command_record r;
	uint8_t channel[16];
	uint8_t partition[16];		/* client; zero: cmdpartd's command channel */
	char partition_name[COMMAND_NAME_LEN];
	char name[COMMAND_DEVICE_LEN];	/* device, or "command", "monitor" */
	uint64_t module_id, epoch;
	uint32_t type;			/* enum channel_type */
	uint32_t servers;
	uint8_t server[COMMAND_MAX_SERVERS][16];
	char server_name[COMMAND_MAX_SERVERS][COMMAND_NAME_LEN];
	uint32_t slot_state[COMMAND_MAX_SERVERS];	/* enum ultravisor_slot_state */
	int32_t server_pid[COMMAND_MAX_SERVERS];	/* 0: not connected */
};

struct command_row_context {
	struct command_record r;
	uint8_t partition[16];
	char partition_name[COMMAND_NAME_LEN];
	uint32_t index, mode;
	uint32_t flags;			/* PROCESSOR_… */
	uint32_t reserved;
	uint64_t budget_ns, period_ns;
	uint64_t window_start_ns, window_ns;
	uint64_t cpus[COMMAND_CPU_WORDS];
	/* From the module; struct ultravisor_context_info says what they count. */
	uint64_t run_ns, stolen_ns, rested_ns;
	uint64_t throttled, forced, windows, overruns;
	uint64_t late_max_ns, overrun_max_ns;
	uint64_t exits[COMMAND_EXITS];	/* enum ultravisor_exit */
};

struct command_row_ledger {
	struct command_record r;
	uint64_t transaction;
	uint64_t time_ns;		/* CLOCK_REALTIME of the commit */
	uint8_t request_id[16];
	uint32_t status;		/* refused ones are in the ledger too */
	uint32_t operations;
	uint32_t uid, pid;		/* who asked cmdpartd; pid 0: a daemon */
	uint64_t epoch;			/* of the leading opsd, if that asked; else 0 */
	char who[COMMAND_NAME_LEN];
	char subject[COMMAND_NAME_LEN];	/* first operation's partition or domain */
	char summary[256];		/* "start web1: 128 MiB on node 0, 1 context, 3 devices" */
	char reason[256];		/* as its author gave it */
	char text[256];			/* why it was refused */
};

/* What a row said, from one transaction until another. Ordered by id. */
struct command_row_history {
	struct command_record r;
	uint64_t id;
	uint64_t transaction, since_ns;	/* that began it; 0: the first inventory */
	uint64_t ended, until_ns;	/* that changed or deleted the row; 0: it is so now */
	char noun[16];			/* "processor", "memory", "device", "channel", … */
	char key[COMMAND_PATH_LEN];	/* CPUs, node, path or tap, name */
	char part[COMMAND_DEVICE_LEN];	/* context's index, device's name, slot */
	char owner[COMMAND_NAME_LEN];	/* the partition that had it; "": none */
	char who[COMMAND_NAME_LEN];	/* author of the first; "": not known any more */
	char row[COMMAND_HISTORY_LEN];	/* JSON, cut to fit */
};

/*
 * COMPARED and DIFFERENCE: rows against kernel, processes and devices, as they are when asked. Both
 * are numbered from 1; what a later question numbers may be another.
 */
struct command_row_compared {
	struct command_record r;
	uint64_t number;
	uint64_t compared, differences;
	char what[32];			/* "kernel objects" */
};

struct command_row_difference {
	struct command_record r;
	uint64_t number;
	char what[128];			/* "tap uvt3" */
	char where[64];			/* it is: "database", "kernel", "host"; or so */
	char missing[64];		/* it is not, or otherwise */
	char fix[128];
};

/* What happened behind this number of this instance; both zero: the newest, limit of them. */
struct command_query_events {
	struct command_record r;
	uint8_t instance[16];
	uint64_t after;
	uint32_t limit;			/* 0: as many as fit */
	uint32_t wait_ms;		/* how long the answer may wait for the first */
};

#define COMMAND_EVENTS_WAIT_MS 10000	/* at most */

enum command_event {
	COMMAND_EVENT_GAP = 1,		/* something before this was not told */
	COMMAND_EVENT_STARTED = 2,	/* uvd */
	COMMAND_EVENT_COMMITTED = 3,
	COMMAND_EVENT_REFUSED = 4,
	COMMAND_EVENT_STATE = 5,	/* of the partition, by this transaction */
	COMMAND_EVENT_CONNECTED = 6,	/* a system partition, with uvd */
	COMMAND_EVENT_DISCONNECTED = 7,
	/* Of a channel: text is its device, and the server. */
	COMMAND_EVENT_PROMOTED = 8,
	COMMAND_EVENT_LOST = 9,
	COMMAND_EVENT_HUNG = 10,
	COMMAND_EVENT_UNSERVED = 11,
	COMMAND_EVENT_LEASE_EXPIRED = 12,
	COMMAND_EVENT_LEASE_RENEWED = 13,	/* behind its end */
};

struct command_row_event {
	struct command_record r;
	uint8_t instance[16];		/* of this uvd; numbers are its */
	uint64_t number;
	uint64_t time_ns;		/* CLOCK_REALTIME */
	uint64_t transaction;		/* 0: none */
	uint8_t request_id[16];
	uint32_t kind;			/* enum command_event */
	uint32_t status;		/* REFUSED */
	uint32_t state;			/* STATE: enum command_partition_state */
	uint32_t reserved;
	char partition[COMMAND_NAME_LEN];	/* "": none */
	char text[256];
};

/*
 * The partitions whose rows transactions behind the query's after have changed, undefined ones too:
 * for who keeps a copy. The first is no partition's.
 */
struct command_row_changed {
	struct command_record r;
	uint8_t partition[16];		/* zero: the first */
	uint64_t transaction;		/* the ledger's last number: after, the next time */
	uint32_t all;			/* the first: 1, it is not known which; read all anew */
	uint32_t reserved;
};

/* The exact size of a record of this type; 0: unknown type. */
static inline uint32_t command_record_size(uint16_t type)
{
	switch (type) {
	case COMMAND_PARTITION_DEFINE:	return sizeof(struct command_partition_define);
	case COMMAND_DEVICE_DEFINE:	return sizeof(struct command_device_define);
	case COMMAND_PARTITION_UNDEFINE:
	case COMMAND_PARTITION_START:
	case COMMAND_PARTITION_STOP:
	case COMMAND_PARTITION_KILL:
	case COMMAND_PARTITION_PAUSE:
	case COMMAND_PARTITION_RESUME:
	case COMMAND_PARTITION_EXPECT:
	case COMMAND_MEMORY_RELEASE:
	case COMMAND_LEASE_RENEW:
	case COMMAND_PROCESSOR_RELEASE:	return sizeof(struct command_partition);
	case COMMAND_PARTITION_MODIFY:	return sizeof(struct command_partition_modify);
	case COMMAND_MEMORY_ASSIGN:	return sizeof(struct command_memory_assign);
	case COMMAND_PROCESSOR_ASSIGN:	return sizeof(struct command_processor_assign);
	case COMMAND_DEVICE_MODIFY:	return sizeof(struct command_device_modify);
	case COMMAND_DEVICE_CLAIM:
	case COMMAND_DEVICE_RESET:
	case COMMAND_DEVICE_RESIZE:
	case COMMAND_DEVICE_RELEASE:	return sizeof(struct command_device_op);
	case COMMAND_CHANNEL_CREATE:
	case COMMAND_CHANNEL_REVOKE:
	case COMMAND_CHANNEL_DESTROY:	return sizeof(struct command_channel);
	case COMMAND_CHANNEL_PROMOTE:	return sizeof(struct command_channel_promote);
	case COMMAND_CHANNEL_CONNECT:	return sizeof(struct command_channel_connect);
	case COMMAND_DOMAIN_ASSIGN:	return sizeof(struct command_domain_assign);
	case COMMAND_DOMAIN_CREATE:
	case COMMAND_DOMAIN_MODIFY:
	case COMMAND_DOMAIN_EXPECT:
	case COMMAND_DOMAIN_DESTROY:	return sizeof(struct command_domain);
	case COMMAND_HOST_POOL:		return sizeof(struct command_host_pool);
	case COMMAND_HOST_STOP:
	case COMMAND_HOST_START:	return sizeof(struct command_host_run);
	case COMMAND_QUERY_ROWS:	return sizeof(struct command_query);
	case COMMAND_ROW_HOST:		return sizeof(struct command_row_host);
	case COMMAND_ROW_PROCESSOR:	return sizeof(struct command_row_processor);
	case COMMAND_ROW_MEMORY:	return sizeof(struct command_row_memory);
	case COMMAND_ROW_DOMAIN:	return sizeof(struct command_row_domain);
	case COMMAND_ROW_PARTITION:	return sizeof(struct command_row_partition);
	case COMMAND_ROW_DEVICE:	return sizeof(struct command_row_device);
	case COMMAND_ROW_CHANNEL:	return sizeof(struct command_row_channel);
	case COMMAND_ROW_CONTEXT:	return sizeof(struct command_row_context);
	case COMMAND_ROW_LEDGER:	return sizeof(struct command_row_ledger);
	case COMMAND_ROW_HISTORY:	return sizeof(struct command_row_history);
	case COMMAND_ROW_COMPARED:	return sizeof(struct command_row_compared);
	case COMMAND_ROW_DIFFERENCE:	return sizeof(struct command_row_difference);
	case COMMAND_QUERY_EVENTS:	return sizeof(struct command_query_events);
	case COMMAND_ROW_EVENT:		return sizeof(struct command_row_event);
	case COMMAND_ROW_CHANGED:	return sizeof(struct command_row_changed);
	}
	return 0;
}

#define COMMAND_EXACT(type, size) _Static_assert(sizeof(struct type) == (size), #type)
COMMAND_EXACT(command_header, 520);
COMMAND_EXACT(command_record, 16);
COMMAND_EXACT(command_settings, 408);
#undef COMMAND_EXACT

#endif
