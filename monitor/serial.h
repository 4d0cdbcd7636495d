/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COM1: a 16550A, register by register (National Semiconductor PC16550D). Its line is the
 * console, which is as fast as the guest, so that the transmitter is busy only while the
 * console has no room. Guarded by the device lock.
 */
#ifndef MONITOR_SERIAL_H
#define MONITOR_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "console.h"
#include "irq.h"
#include "ports.h"

#define SERIAL_FIFO 16

struct serial {
	struct console *console;
	const struct irq *irq;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t fifo[SERIAL_FIFO];
	unsigned int fifo_head, fifo_count;
	bool overrun;
	bool empty_pending;	/* "transmitter empty" is to be reported */
	bool busy;		/* the guest has seen that the transmitter is not empty */
	bool line;		/* as last told to the interrupt controller */
	int timer;		/* timerfd: runs while busy, so that waiting for room ends */
};

int serial_init(struct serial *s, struct console *console, const struct irq *irq,
		struct ports *ports);
void serial_reset(struct serial *s);

/*
 * The console's server has looked at its rings, or the timer has run out: there may be room, or
 * bytes for the guest.
 */
void serial_wake(struct serial *s);

#endif
