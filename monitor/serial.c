/* SPDX-License-Identifier: Apache-2.0 */
/* The 16550A. */
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "layout.h"
#include "serial.h"

enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR, PORTS };

#define IER_RX		0x01
#define IER_TX		0x02
#define IER_LINE	0x04
#define IIR_NONE	0x01
#define IIR_TX		0x02
#define IIR_RX		0x04
#define IIR_LINE	0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFO	0xc0
#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define FCR_TRIGGER	0xc0
#define LCR_DLAB	0x80
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define LSR_DATA	0x01
#define LSR_OVERRUN	0x02
#define LSR_EMPTY	0x60	/* holding register and transmitter */
#define MSR_LINE_UP	0xb0	/* carrier, data set ready, clear to send */

static bool loop(const struct serial *s)
{
	return s->mcr & MCR_LOOP;
}

static unsigned int trigger(const struct serial *s)
{
	static const uint8_t level[4] = { 1, 4, 8, 14 };

	return s->fcr & FCR_ENABLE ? level[s->fcr >> 6] : 1;
}

/* The interrupt of highest priority, as IIR tells it. */
static uint8_t identify(const struct serial *s)
{
	if (s->ier & IER_LINE && s->overrun)
		return IIR_LINE;
	if (s->ier & IER_RX && s->fifo_count)
		return s->fifo_count >= trigger(s) ? IIR_RX : IIR_TIMEOUT;
	if (s->ier & IER_TX && s->empty_pending)
		return IIR_TX;
	return IIR_NONE;
}

static void update(struct serial *s)
{
	bool line = identify(s) != IIR_NONE && s->mcr & MCR_OUT2 && !loop(s);

	if (line != s->line) {
		s->line = line;
		irq_line(s->irq, LAYOUT_IRQ_SERIAL, line);
	}
}

static void receive(struct serial *s, uint8_t byte)
{
	unsigned int room = s->fcr & FCR_ENABLE ? SERIAL_FIFO : 1;

	if (s->fifo_count >= room) {
		s->overrun = true;
		return;
	}
	s->fifo[(s->fifo_head + s->fifo_count++) % SERIAL_FIFO] = byte;
}

/* Takes what the console has, as far as there is room: nothing is ever overrun from there. */
static void refill(struct serial *s)
{
	unsigned int room = s->fcr & FCR_ENABLE ? SERIAL_FIFO : 1;
	bool taken = false;
	int byte;

	while (!loop(s) && s->fifo_count < room) {
		byte = console_get(s->console);
		if (byte < 0)
			break;
		receive(s, byte);
		taken = true;
	}
	if (taken)
		console_taken(s->console);
}

static uint8_t read_data(struct serial *s)
{
	uint8_t byte = 0;

	if (s->fifo_count) {
		byte = s->fifo[s->fifo_head];
		s->fifo_head = (s->fifo_head + 1) % SERIAL_FIFO;
		s->fifo_count--;
	}
	if (!s->fifo_count)
		refill(s);
	return byte;
}

static void look_for_room(struct serial *s)
{
	static const struct itimerspec soon = { .it_value.tv_nsec = CONSOLE_RETRY_NS };

	s->busy = !console_room(s->console);
	if (s->busy)
		timerfd_settime(s->timer, 0, &soon, NULL);
}

static uint8_t read_lsr(struct serial *s)
{
	uint8_t v = s->fifo_count ? LSR_DATA : 0;

	if (s->overrun)
		v |= LSR_OVERRUN;
	s->overrun = false;
	look_for_room(s);
	return s->busy ? v : v | LSR_EMPTY;
}

static uint8_t read_msr(const struct serial *s)
{
	/* In loop mode DTR, RTS, OUT1 and OUT2 are seen as DSR, CTS, RI and DCD. */
	if (loop(s))
		return (s->mcr & 1) << 5 | (s->mcr & 2) << 3 | (s->mcr & 4) << 4 |
		       (s->mcr & 8) << 4;
	return MSR_LINE_UP;
}

static uint8_t read_register(struct serial *s, unsigned int reg)
{
	uint8_t v;

	switch (reg) {
	case DATA:
		return s->lcr & LCR_DLAB ? s->dll : read_data(s);
	case IER:
		return s->lcr & LCR_DLAB ? s->dlm : s->ier;
	case IIR_FCR:
		v = identify(s);
		if (v == IIR_TX)
			s->empty_pending = false;
		return v | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0);
	case LCR:
		return s->lcr;
	case MCR:
		return s->mcr;
	case LSR:
		return read_lsr(s);
	case MSR:
		return read_msr(s);
	default:
		return s->scr;
	}
}

static void write_data(struct serial *s, uint8_t v)
{
	s->empty_pending = false;
	if (loop(s))
		receive(s, v);
	else
		console_put(s->console, v);
	look_for_room(s);
	s->empty_pending = !s->busy;
}

static void write_ier(struct serial *s, uint8_t v)
{
	/* Asking for the interrupt while the transmitter is empty raises it at once. */
	if (v & IER_TX && !(s->ier & IER_TX) && console_room(s->console))
		s->empty_pending = true;
	s->ier = v & 0x0f;
}

static void write_fcr(struct serial *s, uint8_t v)
{
	if ((v ^ s->fcr) & FCR_ENABLE || v & FCR_CLEAR_RX)
		s->fifo_count = 0;
	s->fcr = v & (FCR_ENABLE | FCR_TRIGGER);
	refill(s);
}

static void write_register(struct serial *s, unsigned int reg, uint8_t v)
{
	switch (reg) {
	case DATA:
		if (s->lcr & LCR_DLAB)
			s->dll = v;
		else
			write_data(s, v);
		break;
	case IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = v;
		else
			write_ier(s, v);
		break;
	case IIR_FCR:
		write_fcr(s, v);
		break;
	case LCR:
		s->lcr = v;
		break;
	case MCR:
		s->mcr = v & 0x1f;
		break;
	case SCR:
		s->scr = v;
		break;
	}
}

static uint32_t serial_read(void *opaque, uint16_t offset, unsigned int size)
{
	struct serial *s = opaque;
	uint8_t v;

	if (size != 1)
		return ports_nothing(size);
	v = read_register(s, offset);
	update(s);
	return v;
}

static void serial_write(void *opaque, uint16_t offset, uint32_t value, unsigned int size)
{
	struct serial *s = opaque;

	if (size != 1)
		return;
	write_register(s, offset, value);
	update(s);
}

void serial_wake(struct serial *s)
{
	uint64_t expired;

	if (read(s->timer, &expired, sizeof(expired)) < 0)
		expired = 0;
	console_wake(s->console);
	refill(s);
	if (s->busy) {
		look_for_room(s);
		s->empty_pending = !s->busy;
	}
	update(s);
}

int serial_init(struct serial *s, struct console *console, const struct irq *irq,
		struct ports *ports)
{
	memset(s, 0, sizeof(*s));
	s->console = console;
	s->irq = irq;
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->timer < 0)
		return -errno;
	serial_reset(s);
	ports_add(ports, &(struct ports_range){
		LAYOUT_PORT_SERIAL, LAYOUT_PORT_SERIAL + PORTS - 1, serial_read, serial_write, s });
	return 0;
}

void serial_reset(struct serial *s)
{
	s->ier = s->fcr = s->lcr = s->scr = 0;
	s->mcr = 0;
	s->dll = 12;	/* 9600 baud, not that it matters */
	s->dlm = 0;
	s->fifo_count = 0;
	s->overrun = s->empty_pending = s->busy = false;
	update(s);
}
