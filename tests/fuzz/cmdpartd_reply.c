// SPDX-License-Identifier: Apache-2.0
// fuzz-sources: cmdpartd/!(main).c common/*.c libchannel/*.c
// fuzz-packages: jansson libcurl libmicrohttpd libsystemd smartcols libcap-ng libseccomp
/*
 * cmdpartd and a uvd that lies: the input makes replies, whole ones or with any bytes changed. What
 * passes the check is printed for clients, drawn as a map, and placed by. Found is what the
 * sanitizers find, or text that is no JSON.
 */
#include <common/host_map.h>

#include "cmdpartd/message.h"
#include "cmdpartd/placement.h"
#include "cmdpartd/render.h"
#include "tests/fuzz/input.h"

#define RECORDS 12

static void printed(json_t *json)
{
	char *text = json_dumps(json, 0);

	require(text);
	free(text);
	json_decref(json);
}

static size_t make(struct input *in, uint8_t *to)
{
	struct command_header *h = (struct command_header *)to;
	size_t n = sizeof(*h);

	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = COMMAND_REPLY;
	while (in->left && h->count < RECORDS) {
		struct command_record *r = (struct command_record *)(to + n);
		uint16_t type = COMMAND_ROW_HOST + take(in, 1) % 13;
		uint32_t length = command_record_size(type);

		memset(r, (int)take(in, 1), length);
		r->type = type;
		r->length = length;
		take_patches(in, r, length);
		n += length;
		h->count++;
	}
	h->length = n;
	if (in->left)
		take_patches(in, to, n);
	return n;
}

static void use(const struct command_header *reply)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	const struct command_record *r = NULL;
	static struct placement p;
	struct placement_ask ask;
	struct policy policy;
	FILE *to = fopen("/dev/null", "w");
	json_t *map;

	require(rows && to);
	while ((r = reply_next(reply, r)))
		if (r->type < COMMAND_ROW_EVENT)
			require(!rows_add(rows, r));
		else if (r->type == COMMAND_ROW_EVENT)
			printed(render_event((const void *)r));
	for (int type = COMMAND_ROW_HOST; type < COMMAND_ROW_EVENT; type++)
		printed(render_list(rows, type));
	map = render_map(rows);
	host_map_draw_resources(to, map);
	printed(map);
	fclose(to);
	policy_defaults(&policy);
	for (rows_each(rows, PARTITION, partition, row)) {
		placement_ask_rows(&ask, rows, row);
		placement_decide(&policy, rows, &ask, &p);
		printed(placement_to_json(&p, &ask));
		printed(placement_rules_to_json(&p));
		placement_ask_again(&ask, rows);
		placement_decide_contexts(&policy, rows, &ask, &p);
	}
	rows_free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static uint64_t made[COMMAND_MAX_LENGTH / 8];
	struct input in = { data, n };
	struct error e = ERROR_NONE;
	const char *why;
	uint8_t *reply;

	n = make(&in, (uint8_t *)made);
	/* On the heap: a byte too far is found. */
	reply = malloc(n);
	require(reply);
	memcpy(reply, made, n);
	if (reply_check(reply, n, &why)) {
		if (reply_error((struct command_header *)reply, &e) < 0)
			error_clear(&e);
		use((struct command_header *)reply);
	}
	free(reply);
	return 0;
}
