/* SPDX-License-Identifier: Apache-2.0 */
/* COM1 as Linux's 8250 driver uses it, and its console: rings that are full, slow or hostile. */
#include "machine.h"

#include <errno.h>
#include <unistd.h>

#include <monitor/layout.h>
#include <monitor/serial.h>
#include <ultravisor/io.h>

static struct channel *client, *server;
static struct io_console_server *ours;
static const struct io_console_client *theirs;
static struct console console;
static struct serial serial;
static struct ports ports;
static struct irq irq;

static int set_up(void **state)
{
	const struct channel_geometry g = {
		.type = CHANNEL_CONSOLE, .layout_version = 1,
		.client_size = IO_CONSOLE_CLIENT_SIZE, .server_size = IO_CONSOLE_SERVER_SIZE,
		.private_size = IO_CONSOLE_PRIVATE_SIZE, .doorbells = 1,
	};

	machine_reset(state);
	assert_int_equal(channel_open_pair(&client, &server, &g), 0);
	ours = channel_own(server);
	theirs = channel_peer(server);
	memset(&ports, 0, sizeof(ports));
	irq_init(&irq, -1);
	assert_int_equal(console_open(&console, client), 0);
	assert_int_equal(serial_init(&serial, &console, &irq, &ports), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(serial.timer);
	channel_close(client);
	channel_close(server);
	return 0;
}

static uint8_t in(unsigned int reg)
{
	return ports_read(&ports, LAYOUT_PORT_SERIAL + reg, 1);
}

static void out(unsigned int reg, uint8_t v)
{
	ports_write(&ports, LAYOUT_PORT_SERIAL + reg, v, 1);
}

static void type_in(const char *text)
{
	uint64_t head = ours->rx_head;

	for (; *text; text++)
		ours->rx[head++ % IO_CONSOLE_RX_SIZE] = *text;
	ours->rx_head = head;
	serial_wake(&serial);
}

/* What drivers probe for: scratch register, loop mode, 16 bytes of FIFO. */
static void it_is_a_16550a(void **state)
{
	(void)state;
	out(7, 0x5a);
	assert_int_equal(in(7), 0x5a);
	out(2, 0x01);
	assert_int_equal(in(2) & 0xc0, 0xc0);
	out(4, 0x1a);
	assert_int_equal(in(6) & 0xf0, 0x90);
	out(0, 'x');
	assert_int_equal(in(5) & 1, 1);
	assert_int_equal(in(0), 'x');
	assert_int_equal(theirs->tx_head, 0);
	out(4, 0x0b);
	out(3, 0x80);
	out(0, 0x34);
	out(1, 0x12);
	assert_int_equal(in(0), 0x34);
	assert_int_equal(in(1), 0x12);
	out(3, 0x03);
	assert_int_equal(in(1), 0);
}

static void bytes_reach_the_ring_and_ring_the_bell(void **state)
{
	uint64_t n;
	int bell = channel_doorbell_fd(server, 0);

	(void)state;
	if (read(bell, &n, sizeof(n)) < 0)
		assert_int_equal(errno, EAGAIN);
	out(0, 'h');
	assert_int_equal(read(bell, &n, sizeof(n)), 8);
	out(0, 'i');
	/* The server has not caught up yet: it will look again by itself. */
	assert_int_equal(read(bell, &n, sizeof(n)), -1);
	out(0, '\n');
	assert_int_equal(read(bell, &n, sizeof(n)), 8);
	assert_int_equal(theirs->tx_head, 3);
	assert_memory_equal(theirs->tx, "hi\n", 3);
}

static void the_empty_interrupt_follows_the_rules(void **state)
{
	(void)state;
	out(4, 0x08);
	assert_false(machine.line[4]);
	out(1, 0x02);			/* asked for while empty: at once */
	assert_true(machine.line[4]);
	assert_int_equal(in(2) & 0x0f, 0x02);
	assert_false(machine.line[4]);	/* reading it took it back */
	assert_int_equal(in(2) & 0x0f, 0x01);
	out(0, 'x');
	assert_true(machine.line[4]);
	out(1, 0x00);
	assert_false(machine.line[4]);
}

static void typed_bytes_interrupt_and_nothing_is_overrun(void **state)
{
	unsigned int i;

	(void)state;
	out(2, 0xc1);			/* FIFOs, trigger at 14 */
	out(4, 0x08);
	out(1, 0x01);
	type_in("0123456789abcdefghijklmnopqrstuv");
	assert_true(machine.line[4]);
	assert_int_equal(in(2) & 0x0f, 0x04);
	for (i = 0; i < 32; i++) {
		assert_int_equal(in(5) & 3, 1);
		assert_int_equal(in(0), "0123456789abcdefghijklmnopqrstuv"[i]);
	}
	assert_int_equal(in(5) & 1, 0);
	assert_false(machine.line[4]);
	assert_int_equal(theirs->rx_tail, 32);
	type_in("x");
	assert_int_equal(in(2) & 0x0f, 0x0c);
}

/* A full ring makes the transmitter busy; room makes it ready again, and says so. */
static void a_full_ring_makes_the_guest_wait(void **state)
{
	unsigned int i;

	(void)state;
	out(4, 0x08);
	for (i = 0; i < IO_CONSOLE_TX_SIZE; i++)
		out(0, i);
	assert_int_equal(in(5) & 0x60, 0);
	out(1, 0x02);
	assert_false(machine.line[4]);
	ours->tx_tail = 100;
	serial_wake(&serial);
	assert_true(machine.line[4]);
	assert_int_equal(in(5) & 0x60, 0x60);
}

static void a_server_that_stays_away_costs_bytes_but_not_the_guest(void **state)
{
	char text[64] = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < IO_CONSOLE_TX_SIZE; i++)
		out(0, 'a');
	assert_int_equal(in(5) & 0x60, 0);
	console.full_since -= 3000000000ULL;
	assert_int_equal(in(5) & 0x60, 0x60);
	out(0, 'b');
	out(0, 'b');
	assert_int_equal(theirs->tx_head, IO_CONSOLE_TX_SIZE);
	ours->tx_tail = IO_CONSOLE_TX_SIZE;
	serial_wake(&serial);
	out(0, 'c');
	memcpy(text, theirs->tx, theirs->tx_head - IO_CONSOLE_TX_SIZE);
	assert_string_equal(text, "\r\n[ultravisor: 2 bytes lost]\r\nc");
}

static void a_ring_wraps(void **state)
{
	unsigned int i, sent = 0;

	(void)state;
	for (i = 0; i < 3 * IO_CONSOLE_TX_SIZE / 2; i++) {
		out(0, i % 251);
		if (theirs->tx_head - ours->tx_tail == 1000) {
			for (; sent < theirs->tx_head; sent++)
				assert_int_equal(theirs->tx[sent % IO_CONSOLE_TX_SIZE], sent % 251);
			ours->tx_tail = theirs->tx_head;
		}
	}
	assert_int_equal(theirs->tx_head, 3 * IO_CONSOLE_TX_SIZE / 2);
}

static void a_server_that_counts_nonsense_loses_the_console_only(void **state)
{
	unsigned int i;

	(void)state;
	ours->tx_tail = 12345;
	for (i = 0; i < 2 * IO_CONSOLE_TX_SIZE; i++)
		out(0, 'x');
	assert_true(console.broken);
	assert_int_equal(in(5) & 0x60, 0x60);
}

static void a_server_that_sends_more_than_fits_loses_the_console_only(void **state)
{
	(void)state;
	ours->rx_head = IO_CONSOLE_RX_SIZE + 1;
	serial_wake(&serial);
	assert_true(console.broken);
	assert_int_equal(in(5) & 1, 0);
}

/* The channel outlives the monitor: the next one goes on where the last one was. */
static void counters_go_on(void **state)
{
	struct console next;

	(void)state;
	out(0, 'a');
	out(0, 'b');
	assert_int_equal(console_open(&next, client), 0);
	console_put(&next, 'c');
	assert_int_equal(theirs->tx_head, 3);
	assert_memory_equal(theirs->tx, "abc", 3);
}

static void odd_accesses_do_nothing(void **state)
{
	(void)state;
	assert_int_equal(ports_read(&ports, LAYOUT_PORT_SERIAL, 4), 0xffffffff);
	ports_write(&ports, LAYOUT_PORT_SERIAL, 0x41414141, 4);
	assert_int_equal(theirs->tx_head, 0);
	assert_int_equal(ports_read(&ports, 0x1234, 1), 0xff);
	assert_int_equal(ports_read(&ports, 0x1234, 2), 0xffff);
	ports_write(&ports, 0x1234, 0, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_a_16550a),
		TEST(bytes_reach_the_ring_and_ring_the_bell),
		TEST(the_empty_interrupt_follows_the_rules),
		TEST(typed_bytes_interrupt_and_nothing_is_overrun),
		TEST(a_full_ring_makes_the_guest_wait),
		TEST(a_server_that_stays_away_costs_bytes_but_not_the_guest),
		TEST(a_ring_wraps),
		TEST(a_server_that_counts_nonsense_loses_the_console_only),
		TEST(a_server_that_sends_more_than_fits_loses_the_console_only),
		TEST(counters_go_on),
		TEST(odd_accesses_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
