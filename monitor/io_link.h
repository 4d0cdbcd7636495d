/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's end of an I/O channel (io.h): tells the server what the guest's driver configured,
 * and keeps a checked copy of what the server says of the device. The server is hostile: each
 * word is read once, and what makes no sense is as if it had not been said. Guarded by the device
 * lock.
 */
#ifndef MONITOR_IO_LINK_H
#define MONITOR_IO_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <libchannel/channel.h>
#include <ultravisor/io.h>

struct io_link {
	struct channel *channel;
	/* Ours, and what the client's area says. */
	uint32_t generation;
	bool up;
	/* The server's word as last read, valid once ready. */
	bool ready;
	bool lost;			/* the channel is gone for good */
	bool complained;		/* of an impossible device */
	uint32_t acknowledged, broken;
	uint64_t features;
	uint32_t queues, queue_size_max, config_size;
	uint8_t config[IO_CONFIG_SIZE];
	uint32_t config_generation;
};

/* Opens the client endpoint fd. type: CHANNEL_BLOCK or CHANNEL_NETWORK. */
int io_link_connect(int fd, uint32_t type, struct channel **out);

/* Takes the channel over. A driver that an earlier owner left behind goes down. */
int io_link_open(struct io_link *l, struct channel *channel);

/* Reads the server's area. Returns true if the device's configuration bytes have changed. */
bool io_link_refresh(struct io_link *l);

/* Which rule the server says the driver broke: printable text, or nothing. */
void io_link_fault(struct io_link *l, char text[IO_FAULT_SIZE]);

/* The server has acted on the last thing said: nothing of before is under way any more. */
bool io_link_settled(const struct io_link *l);

/* Like settled, or there is no server that could be doing anything. */
bool io_link_quiet(struct io_link *l);

/* DRIVER_OK and reset. up copies queues (as many as the server has). */
void io_link_up(struct io_link *l, uint64_t features, const struct io_queue *queues);
void io_link_down(struct io_link *l);

#endif
