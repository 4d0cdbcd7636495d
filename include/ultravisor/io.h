/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout of an I/O channel: what a guest's monitor (client) and an I/O partition (server) share.
 *
 * The client's area says what the guest's driver configured; the server's area says what the
 * device is and what it has taken note of. Virtqueues themselves are in guest memory, which only
 * the serving endpoint sees. The servers' private area holds the in-flight table, so that the
 * next server knows what the last one had begun. All integers are little-endian. Each side writes
 * its own area only, and reads the other's once, into a private copy, before it believes it.
 *
 * Device types and feature bits: Virtio 1.2, sections 5 and 6. Queues: split rings (2.7).
 */
#ifndef ULTRAVISOR_IO_H
#define ULTRAVISOR_IO_H

#include <stdatomic.h>
#include <stdint.h>

#define IO_LAYOUT_VERSION	1
#define IO_MAX_QUEUES		8
#define IO_MAX_QUEUE_SIZE	256
#define IO_MAX_PAIRS		3	/* of a network card; with a control queue behind them */
#define IO_CONFIG_SIZE		64
#define IO_FAULT_SIZE		96

/* Channel types (struct ultravisor_channel_header.type). */
enum channel_type {
	CHANNEL_COMMAND = 1,	/* command.h */
	CHANNEL_MONITOR = 2,	/* monitor.h */
	CHANNEL_BLOCK = 3,
	CHANNEL_NETWORK = 4,
	CHANNEL_CONSOLE = 5,
};

/* Areas' sizes, fixed by the layout version. */
#define IO_CLIENT_SIZE		4096u
#define IO_SERVER_SIZE		4096u
#define IO_PRIVATE_SIZE		(68u * 1024u)	/* struct io_inflight and its queues */
#define IO_CONSOLE_CLIENT_SIZE	(68u * 1024u)	/* struct io_console_client */
#define IO_CONSOLE_SERVER_SIZE	(8u * 1024u)	/* struct io_console_server */
#define IO_CONSOLE_PRIVATE_SIZE	4096u

/*
 * Doorbells, each way. Client to server: 0 "my area changed", 1 + q "queue q has buffers".
 * Server to client: 0 "my area changed" (acknowledged a generation, new config), 1 + q
 * "raise queue q's interrupt".
 */
#define IO_DOORBELL_STATE	0
#define IO_DOORBELL_QUEUE(q)	(1 + (q))
#define IO_DOORBELLS		(1 + IO_MAX_QUEUES)

/*
 * A server leaves a kick unread until nothing is unfinished of what it has brought about, and
 * shows by reading it, and writing it again, that it lives. One that has not read for as long as
 * this is taken for hung. Guests wait much longer before they give up.
 */
#define IO_ANSWER_NS		5000000000ULL

enum io_client_state {
	IO_CLIENT_DOWN = 0,	/* no driver, or the driver reset the device */
	IO_CLIENT_UP = 1,	/* DRIVER_OK: what is below is final until the next reset */
};

struct io_queue {
	uint32_t size;		/* entries, a power of two, <= queue_size_max; 0: not used */
	uint32_t reserved;
	uint64_t desc;		/* guest physical addresses (Virtio 2.7) */
	uint64_t driver;
	uint64_t device;
};

/*
 * At offset 0 of the client's area. The client changes the members below generation, then stores
 * state, then adds one to generation (release) and rings IO_DOORBELL_STATE. The server loads
 * generation (acquire), copies, loads generation again, and acts on the copy if it did not change.
 */
struct io_client {
	_Atomic uint32_t generation;
	_Atomic uint32_t state;		/* enum io_client_state */
	uint64_t features;		/* what the driver accepted */
	uint32_t queues;
	uint32_t reserved;
	struct io_queue queue[IO_MAX_QUEUES];
};

enum io_server_state {
	IO_SERVER_ABSENT = 0,
	IO_SERVER_READY = 1,		/* the members below are valid */
};

/*
 * At offset 0 of the server's area. config_generation is odd while config changes (a sequence
 * lock). acknowledged: the client generation that the server has acted upon; a reset is complete
 * for the guest when acknowledged has reached it: until then nothing the server does may be
 * assumed to have stopped. broken: the server found the driver at fault; the device needs a reset.
 * fault, set before broken, says which rule it broke, for people.
 */
struct io_server {
	_Atomic uint32_t state;		/* enum io_server_state */
	_Atomic uint32_t acknowledged;
	_Atomic uint32_t broken;	/* 0, or the client generation that is at fault */
	_Atomic uint32_t config_generation;
	uint64_t features;		/* offered; a later server offers at least the same */
	uint32_t queues;
	uint32_t queue_size_max;
	uint32_t config_size;
	uint32_t reserved;
	uint8_t config[IO_CONFIG_SIZE];	/* Virtio 5.x.4, device specific */
	char fault[IO_FAULT_SIZE];	/* text, ends with a NUL; no more than a hint */
};

/*
 * The in-flight table, at offset 0 of the private area: what a take-over needs, as
 * docs/architecture.md tells. Entry i of a queue describes the request whose head descriptor is i.
 * FREE -> SUBMITTED (sequence set before) -> DONE (position and length set before) -> used index
 * published -> FREE. A new server publishes what is DONE and not yet published, in order of
 * position, then replays what is SUBMITTED, in order of sequence.
 *
 * Network queues use no entries: a batch of packets is one step. `available` is set to the used
 * index that is about to be published, then the guest's used index, then `used`. `sequence` of
 * a card's control queue is how many pairs of queues its driver has chosen; 0: it has not.
 */
enum io_entry_state { IO_FREE = 0, IO_SUBMITTED = 1, IO_DONE = 2 };

struct io_entry {
	_Atomic uint32_t state;
	uint32_t length;		/* bytes written to the guest: used ring's len */
	_Atomic uint64_t sequence;	/* order of submission */
	uint64_t position;		/* used index (not wrapped to 16 bits) that it will get */
	uint64_t taken_ns;		/* CLOCK_BOOTTIME; for statistics */
};

struct io_inflight_queue {
	_Atomic uint64_t available;	/* next available index to take, not wrapped */
	_Atomic uint64_t used;		/* used index last published, not wrapped */
	_Atomic uint64_t sequence;	/* last given */
	uint64_t reserved[5];
	struct io_entry entry[IO_MAX_QUEUE_SIZE];
};

struct io_inflight {
	_Atomic uint32_t layout_version;
	_Atomic uint32_t generation;	/* client generation that the table belongs to */
	uint64_t reserved[7];
};

/* Queue q's table: after struct io_inflight, queues in order. */
#define IO_INFLIGHT_QUEUE(base, q) \
	((struct io_inflight_queue *)((char *)(base) + sizeof(struct io_inflight)) + (q))

/*
 * Console: bytes to and from the guest's serial port. Counters are never wrapped; a byte with
 * number n is at n % size. The client writes tx_head, rx_tail and tx; the server rx_head, tx_tail
 * and rx. A server adds to tx_tail only after the bytes are in the log.
 *
 * Doorbell 0 either way: "look at the counters". A side that has stored its counter looks at the
 * other's once more (seq_cst) before it sleeps, so that the other needs to ring only one that had
 * caught up. The server rings for room when it has found tx half full or fuller.
 */
#define IO_CONSOLE_TX_SIZE	65536u
#define IO_CONSOLE_RX_SIZE	4096u

struct io_console_client {
	_Atomic uint64_t tx_head;
	_Atomic uint64_t rx_tail;
	uint8_t reserved[4080];
	uint8_t tx[IO_CONSOLE_TX_SIZE];
};

struct io_console_server {
	_Atomic uint32_t state;		/* enum io_server_state */
	uint32_t reserved0;
	_Atomic uint64_t tx_tail;
	_Atomic uint64_t rx_head;
	uint8_t reserved[4072];
	uint8_t rx[IO_CONSOLE_RX_SIZE];
};

/*
 * The servers' private area. The byte with number n is at n - base (modulo 2^64) of the log file,
 * so that a server that takes over writes again what its predecessor may have written, at the
 * same place: the log has every byte once. base changes when the log is cut to its tail: rotating
 * is the base that a cut is about to set; 0: none is under way.
 */
struct io_console_private {
	_Atomic uint32_t layout_version;	/* 0: not used yet */
	uint32_t reserved;
	_Atomic uint64_t base;
	_Atomic uint64_t rotating;
};

/*
 * What a device's servers count: the last IO_STATISTICS_SIZE bytes of the private area, whatever
 * its type. Zero at first; the next server goes on with it. Written by who serves, one word at a
 * time, and read by nobody else: others are told in an io_report. Times are of CLOCK_BOOTTIME.
 */
#define IO_STATISTICS_SIZE	1024u
#define IO_LATENCY_BUCKETS	24u
#define IO_LATENCY_FIRST	12u	/* bucket i: at most 2^(12 + i) ns; the last one: any */

/* Disks: all four; network cards: to and from the guest; consoles: typed, said. */
enum io_operation {
	IO_READ = 0, IO_WRITE = 1, IO_FLUSH = 2, IO_OTHER = 3, IO_OPERATIONS
};

struct io_counter {
	uint64_t requests;		/* or packets; consoles: 0 */
	uint64_t bytes;
	uint64_t errors;		/* of the requests; or packets that were dropped */
	uint64_t latency_ns;		/* disks: of all of them together, from taken to done */
	uint64_t latency[IO_LATENCY_BUCKETS];
};

struct io_statistics {
	uint32_t version;		/* 0: nobody has counted yet */
	uint32_t reserved0;
	uint64_t takeovers;		/* servers behind the first */
	uint64_t promoted_ns;		/* who serves does so since then */
	uint64_t done_ns;		/* the last request, packet or byte */
	uint64_t waits_ns;		/* the guest waits since then for a new server; 0: no */
	uint64_t stall_ns, stall_max_ns;	/* that the last take-over made it wait; any did */
	uint64_t reserved[1];
	struct io_counter operation[IO_OPERATIONS];
};

#define IO_STATISTICS_VERSION	1

/* How a server tells of it (docs/io.md, STATISTICS): as many of these as it serves devices. */
struct io_report {
	uint32_t length;		/* sizeof(struct io_report) */
	uint32_t type;			/* enum channel_type */
	uint8_t partition[16];
	char device[32];
	uint64_t now_ns;
	uint64_t in_flight;		/* disks: requests taken and not finished */
	struct io_statistics statistics;
};

_Static_assert(sizeof(struct io_statistics) == 64 + IO_OPERATIONS * 8 * (4 + IO_LATENCY_BUCKETS),
	       "no padding");
_Static_assert(sizeof(struct io_statistics) <= IO_STATISTICS_SIZE, "statistics");
_Static_assert(2 * IO_MAX_PAIRS + 1 <= IO_MAX_QUEUES, "a card's queues");
_Static_assert(sizeof(struct io_client) <= IO_CLIENT_SIZE, "client area");
_Static_assert(sizeof(struct io_server) <= IO_SERVER_SIZE, "server area");
_Static_assert(sizeof(struct io_inflight_queue) == 64 + 32 * IO_MAX_QUEUE_SIZE, "no padding");
_Static_assert(sizeof(struct io_inflight) + IO_MAX_QUEUES * sizeof(struct io_inflight_queue) <=
	       IO_PRIVATE_SIZE - IO_STATISTICS_SIZE, "private area");
_Static_assert(sizeof(struct io_console_client) <= IO_CONSOLE_CLIENT_SIZE, "console client");
_Static_assert(sizeof(struct io_console_server) <= IO_CONSOLE_SERVER_SIZE, "console server");
_Static_assert(sizeof(struct io_console_private) <= IO_CONSOLE_PRIVATE_SIZE - IO_STATISTICS_SIZE,
	       "console private");

#endif
