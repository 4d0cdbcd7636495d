// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: iopartd/!(main|tap).c libchannel/*.c common/*.c
// fuzz-sources: tests/unit/iopartd/guest.c tests/unit/iopartd/rig.c
// fuzz-packages: libsystemd liburing libseccomp libnbd cmocka
// fuzz-packages: jansson libcurl libmicrohttpd smartcols libcap-ng
/*
 * A guest that gives its card anything to send, anything to receive into, and any command: chains
 * on all queues of a card with three pairs, and words of them changed. A socket each stands for the
 * tap's queues, and sends back. Found is what the sanitizers find; a byte written where the chain
 * offered none (as long as no descriptor was changed); a number of pairs that the card has not; a
 * device that does not come back by a reset.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iopartd/network.h>
#include <iopartd/tap.h>

#include "tests/unit/iopartd/guest.h"
#include "tests/unit/iopartd/rig.h"

#include "tests/fuzz/input.h"

#define QUEUES		(2u * IO_MAX_PAIRS + 1)
#define SIZE		64u
#define CHAINS		12u
#define BUFFERS		4u
#define AREA		4096u		/* of each buffer's memory */
#define CANARY		0xa5
#define FEATURES	(GUEST_FEATURES | 1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_NET_F_CTRL_VQ)

static struct guest g;
static struct rig rig;
static int wire[IO_MAX_PAIRS];
static uint64_t first;		/* guest memory of buffers */
static struct buffer given[CHAINS * BUFFERS];
static unsigned int givens;

int tap_attach(int fd, bool attach)
{
	(void)fd;
	(void)attach;
	return 0;
}

int tap_configure(int fd, int header, uint64_t features)
{
	(void)fd;
	(void)header;
	(void)features;
	return 0;
}

static void set_up(void)
{
	const struct command_settings settings = { .queues = IO_MAX_PAIRS };
	int pair[2], taps[IO_MAX_PAIRS];
	unsigned int i;

	guest_init(&g, CHANNEL_NETWORK);
	rig_init(&rig);
	for (i = 0; i < IO_MAX_PAIRS; i++) {
		require(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair));
		taps[i] = pair[0];
		wire[i] = pair[1];
		if (i)
			rig.taps[i - 1] = taps[i];
	}
	rig_serve_as(&rig, &g, taps[0], false, &settings);
	guest_up(&g, FEATURES, QUEUES, SIZE);
	rig_settle(&rig, &g);
	first = g.next;
}

static void submit(struct input *in)
{
	uint8_t how = take(in, 1), q = take(in, 1) % QUEUES;
	unsigned int i, n = 1 + (how & 3);
	struct buffer b[BUFFERS];
	uint64_t word;
	char *at;

	for (i = 0; i < n; i++) {
		b[i] = (struct buffer){
			guest_alloc(&g, AREA), take(in, 2) % AREA + 1,
			q == QUEUES - 1 ? i == n - 1 : !(q & 1),
		};
		if (how & 4)
			b[i].writable = take(in, 1) & 1;
		/* What may be a command of the right length, often. */
		if (q == QUEUES - 1 && !i && how & 8)
			b[i].length = 4;
		if (i && b[i - 1].writable)
			b[i].writable = true;
		word = take(in, q == QUEUES - 1 ? 5 : 1);
		at = guest_at(&g, b[i].gpa);
		memset(at, b[i].writable ? CANARY : 0, AREA);
		if (!b[i].writable)
			memcpy(at, &word, sizeof(word));
		given[givens++] = b[i];
	}
	guest_submit(&g, q, b, n, how & 16);
}

static void check_canaries(void)
{
	const unsigned char *at;
	unsigned int i, k;

	for (i = 0; i < givens; i++) {
		at = guest_at(&g, given[i].gpa);
		for (k = given[i].length; given[i].writable && k < AREA; k++)
			require(at[k] == CANARY);
	}
}

static void empty_wires(void)
{
	static char packet[PACKET_BYTES];
	unsigned int i;

	for (i = 0; i < IO_MAX_PAIRS; i++)
		while (recv(wire[i], packet, sizeof(packet), 0) >= 0)
			;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	static struct vring_desc were[QUEUES][SIZE];
	static char packet[16384];
	const struct network *n;
	unsigned int i, chains;
	bool changed = false;

	if (!first)
		set_up();
	n = rig.device->data;
	g.next = first;
	givens = 0;
	chains = take(&in, 1) % CHAINS + 1;
	for (i = 0; i < chains; i++)
		submit(&in);
	for (i = 0; i < QUEUES; i++) {
		memcpy(were[i], guest_desc(&g, i), sizeof(were[i]));
		if (take(&in, 1) & 1)
			take_patches(&in, guest_desc(&g, i), sizeof(were[i]));
		changed |= memcmp(were[i], guest_desc(&g, i), sizeof(were[i])) != 0;
	}
	if (take(&in, 1) % 4 == 0)
		take_patches(&in, guest_avail(&g, QUEUES - 1), 6 + 2 * SIZE);
	for (i = 0; i < IO_MAX_PAIRS; i++)
		send(wire[i], packet, take(&in, 2) % sizeof(packet), 0);
	for (i = 0; i < QUEUES; i++)
		channel_ring(g.client, IO_DOORBELL_QUEUE(i));
	for (i = 0; i < 200 && sd_event_run(rig.event, 0) > 0; i++)
		;
	require(n->pairs <= IO_MAX_PAIRS);
	require(rig.device->state == DEVICE_SERVING);
	if (!changed)
		check_canaries();
	guest_down(&g);
	rig_settle(&rig, &g);
	empty_wires();
	guest_up(&g, FEATURES | (uint64_t)(take(&in, 1) & 1) << VIRTIO_NET_F_MRG_RXBUF, QUEUES,
		 SIZE);
	rig_settle(&rig, &g);
	require(guest_broken(&g) != guest_generation(&g));
	require(n->pairs == 1);
	return 0;
}
