/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /run/ultravisor/uvd.sock: how system partitions get their channel endpoints from uvd.
 *
 * SOCK_SEQPACKET; one struct a message, descriptors by SCM_RIGHTS. It carries no operation:
 * whoever connects is known by peer credentials alone, and is sent what it may have. The
 * connection stays open: what uvd creates later is sent later. After a reconnect uvd sends
 * everything again, then HANDOVER_COMPLETE; a receiver closes what it holds and was not sent.
 */
#ifndef ULTRAVISOR_HANDOVER_H
#define ULTRAVISOR_HANDOVER_H

#include <stdint.h>

#include <ultravisor/command.h>

#define HANDOVER_PATH		"/run/ultravisor/uvd.sock"
#define HANDOVER_VERSION	2

/* Users, by systemd/ultravisor.sysusers; uvd and uvmonitor's parent are root. */
#define USER_COMMAND		"ultravisor-command"	/* cmdpartd */
#define USER_OPERATIONS		"ultravisor-operations"	/* opsd */
#define USER_IO_PREFIX		"ultravisor-io-"	/* then the instance: a, b */
#define USER_MONITOR		"ultravisor-monitor"
#define GROUP_OBSERVER		"ultravisor-observer"	/* may read */
#define GROUP_OPERATOR		"ultravisor"		/* may change partitions */
#define GROUP_ADMIN		"ultravisor-admin"	/* may do what root may */

enum handover_what {
	HANDOVER_HELLO = 1,	/* first message of the client; no descriptor */
	HANDOVER_ENDPOINT = 2,	/* uvd's; 1 or more descriptors: endpoint, backing */
	HANDOVER_COMPLETE = 3,	/* uvd's: that was all there is now */
	HANDOVER_WITHDRAW = 4,	/* uvd's: channel_id is no more; close it */
	HANDOVER_REFUSED = 5,	/* uvd's, then it closes: reason says why */
	HANDOVER_CONNECTION = 7,	/* uvd's; 1 descriptor: channel_id's NBD server */
	HANDOVER_SETTINGS = 6,	/* uvd's: channel_id has these settings now, and this size */
};

#define HANDOVER_DEVICE_READONLY (1u << 0)
#define HANDOVER_DEVICE_NBD	(1u << 1)	/* block: by HANDOVER_CONNECTION, to who serves */

struct handover_message {
	uint32_t version;
	uint32_t what;			/* enum handover_what */
	uint64_t channel_id;
	uint32_t channel_type;		/* enum channel_type */
	uint32_t slot;			/* server slot; 0xffffffff: client endpoint */
	uint32_t device_flags;		/* HANDOVER_DEVICE_… */
	uint32_t reserved;
	uint8_t channel_uuid[16];
	uint8_t partition_uuid[16];	/* whose device it is */
	char partition[64];
	char device[32];
	uint8_t mac[8];			/* network: 6 bytes */
	char reason[128];
	struct command_settings settings;
	uint64_t size;			/* block: bytes that its guest is to know of; 0: unknown */
};

/*
 * Backing descriptors, one open file description for each server and each hand-over:
 *   block: image or block device, O_RDWR or O_RDONLY, not locked: the server takes its fence by
 *          flock(LOCK_EX) on it before it submits anything. Of an NBD disk: a socket of no use;
 *          its connection comes to who serves when nobody else is connected any more;
 *   network: a queue of the device's multi-queue tap, IFF_VNET_HDR, detached (TUNSETQUEUE), for
 *          each pair of queues that the card has: 1 to COMMAND_MAX_PAIRS;
 *   console: the log, O_RDWR | O_APPEND.
 */

#endif
