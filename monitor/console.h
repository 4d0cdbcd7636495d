/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the serial port's bytes go: the console channel's rings (io.h), or standard output to try
 * things by hand, or nowhere. Channel memory is written by this side's cursors, which are private;
 * the server's counters are checked at each use, and a server that counts nonsense is believed no
 * more. Guarded by the device lock.
 */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

#include <libchannel/channel.h>

/* How soon to look for room again where a server does not say that there is some. */
#define CONSOLE_RETRY_NS 500000000

struct console {
	struct channel *channel;	/* NULL: none */
	bool to_stdout;			/* without a channel: there, else nowhere */
	uint64_t tx_head, rx_tail;
	uint64_t tx_tail;		/* the server's, as last seen */
	bool broken;			/* by the server of broken_epoch: nothing is believed */
	uint64_t broken_epoch;
	uint64_t full_since;		/* ns; 0: not full */
	uint64_t lost;			/* bytes, since the last one that found room */
};

/* Opens the client endpoint fd. */
int console_connect(int fd, struct channel **out);

/* Takes the channel (or NULL) over. Cursors go on where the area's last owner left them. */
int console_open(struct console *c, struct channel *channel);

/* The server has looked at its rings, or another one has come, which is believed again. */
void console_wake(struct console *c);

/* Is there room for a byte? With a server that takes nothing for long: yes, and it is dropped. */
bool console_room(struct console *c);
void console_put(struct console *c, uint8_t byte);

/* A line of this project's own, in brackets, between the guest's. */
void console_note(struct console *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The next byte for the guest, or -EAGAIN. console_taken tells the server afterwards. */
int console_get(struct console *c);
void console_taken(struct console *c);

/* Readable when the server has looked at the rings; -1: never. */
int console_fd(const struct console *c);

#endif
