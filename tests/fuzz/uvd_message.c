// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: uvd/!(main).c tests/unit/uvd/fake.c common/*.c libchannel/*.c
// fuzz-packages: sqlite3 libsystemd libnl-3.0 libnl-genl-3.0 libnl-route-3.0
// fuzz-packages: libseccomp libnftables jansson libcurl libmicrohttpd smartcols libcap-ng cmocka
/*
 * Messages on the command channel: the input writes down operations of any mix, many of them on
 * partitions that exist, changes any words of them, and sends them as plans and transactions. Found
 * is what the sanitizers find, a reply that is none, and a kernel or network that does not hold
 * just what the rows say afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/fuzz/input.h"
#include "tests/unit/uvd/fake.h"

#define RECORDS	24

static struct host *h;
static bool changed;		/* by a transaction: the next input begins with a new host */

static const char *const names[] = { "web1", "web2", "db", "other" };

static void new_host(void)
{
	void *state = h;

	if (h)
		host_teardown(&state);
	host_setup(&state);
	h = state;
	define(h, "web1");
	start(h, "web1");
	define(h, "web2");
	changed = false;
}

static void add_operation(struct input *in)
{
	static const uint16_t simple[] = {
		COMMAND_PARTITION_UNDEFINE, COMMAND_PARTITION_START, COMMAND_PARTITION_STOP,
		COMMAND_PARTITION_KILL, COMMAND_PARTITION_PAUSE, COMMAND_PARTITION_RESUME,
		COMMAND_MEMORY_RELEASE, COMMAND_PROCESSOR_RELEASE,
	};
	const char *name = names[take(in, 1) % 4];
	unsigned int choice = take(in, 1);
	uint16_t type;

	if (choice < 32)
		add_define(h, name, choice & 1 ? h->image : NULL, choice & 2 ? "br7" : NULL);
	else if (choice < 64)
		add_resources(h, name);
	else if (choice < 160)
		add_verb(h, simple[choice % 8], name);
	else {
		struct command_record *r;

		do
			type = 1 + take(in, 1) % COMMAND_QUERY_EVENTS;
		while (!command_record_size(type));
		r = message_add(h, type);
		/* Most begin with a partition's UUID. */
		name_uuid((uint8_t *)(r + 1), name);
	}
}

static void send(struct input *in)
{
	/* A plan changes nothing; after a transaction the next input has to wait for a new host. */
	uint16_t kind = take(in, 1) % 8 == 2 ? COMMAND_TRANSACT : COMMAND_PLAN;
	struct command_header *m = message_header(h);
	size_t n;

	message_begin(h, kind);
	memset(m->request_id, (int)take(in, 1), sizeof(m->request_id));
	for (unsigned int i = take(in, 1) % RECORDS; i && in->left; i--)
		add_operation(in);
	n = m->length;
	take_patches(in, m, n);
	/* A batch takes no queries: they never come to it (uvd/command.c). */
	if (m->kind == COMMAND_QUERY || m->kind == COMMAND_RENEW)
		return;
	changed = changed || m->kind == COMMAND_TRANSACT;
	require(host_ask(h, m, n)->kind == COMMAND_REPLY);
	require(h->reply->status <= COMMAND_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };

	if (!h || changed)
		new_host();
	while (in.left)
		send(&in);
	assert_in_line(h);
	return 0;
}
