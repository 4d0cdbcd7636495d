/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What vCPUs and devices did between two looks: one line for each context of the partitions that
 * are on, the busiest first, and one for each device (top_device.c). On a terminal it goes on until
 * it is interrupted; else, and with --once or --json, it is one interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <common/output.h>

#include "cmdpartctl.h"
#include "top.h"

/* Counters since the context was made; the interval's are differences. */
static const char *const counters[] = { "run_ns", "stolen_ns", "rested_ns", "throttled", "forced",
					"windows", "overruns", NULL };
static const char *const kinds[] = { "pio", "mmio", "hlt", "intr", "shutdown", "fail", "other",
				     NULL };

static const json_t *same(const json_t *list, const json_t *context)
{
	const json_t *c;
	size_t i;

	json_array_foreach(list, i, c)
		if (!strcmp(text(c, "partition"), text(context, "partition")) &&
		    top_number(c, "index") == top_number(context, "index"))
			return c;
	return NULL;
}

static json_t *interval(const json_t *context, const json_t *before, json_int_t elapsed)
{
	const json_t *exits = json_object_get(context, "exits");
	const json_t *exits_before = json_object_get(before, "exits");
	json_t *o = json_copy((json_t *)context), *e = json_object();
	json_int_t sum = 0, n;

	for (int i = 0; counters[i]; i++)
		json_object_set_new(o, counters[i], json_integer(top_difference(context, before,
								      counters[i])));
	for (int i = 0; kinds[i]; i++) {
		n = top_difference(exits, exits_before, kinds[i]);
		sum += n;
		json_object_set_new(e, kinds[i], json_integer(n));
	}
	json_object_set_new(o, "exits", e);
	json_object_set_new(o, "exit_count", json_integer(sum));
	json_object_set_new(o, "interval_ns", json_integer(elapsed));
	json_object_set_new(o, "cpu_percent", json_real(elapsed ? 100.0 * top_number(o, "run_ns") /
						     elapsed : 0));
	return o;
}

static int busier(const void *a, const void *b)
{
	json_int_t x = top_number(*(json_t *const *)a, "run_ns");
	json_int_t y = top_number(*(json_t *const *)b, "run_ns");

	return (x < y) - (x > y);
}

static json_t *compare(const json_t *reply, const json_t *before)
{
	const json_t *list = json_object_get(reply, "contexts"), *c, *old;
	json_int_t elapsed = top_number(reply, "time") - top_number(before, "time");
	json_t **rows = calloc(json_array_size(list) + 1, sizeof(*rows)), *sorted = json_array();
	size_t i, n = 0;

	json_array_foreach(list, i, c) {
		old = same(json_object_get(before, "contexts"), c);
		if (rows)
			rows[n++] = interval(c, old, elapsed);
	}
	if (rows)
		qsort(rows, n, sizeof(*rows), busier);
	for (i = 0; i < n; i++)
		json_array_append_new(sorted, rows[i]);
	free(rows);
	return sorted;
}

static void percent(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	snprintf(to, size, "%.1f", json_real_value(value));
}

static void part(char *to, size_t size, const json_t *value, const json_t *row)
{
	json_int_t elapsed = top_number(row, "interval_ns");

	snprintf(to, size, "%.1f", elapsed ? 100.0 * json_integer_value(value) / elapsed : 0);
}

static void microseconds(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	if (json_integer_value(value))
		snprintf(to, size, "%.1f", json_integer_value(value) / 1e3);
	else
		snprintf(to, size, "-");
}

static void most_exits(char *to, size_t size, const json_t *value, const json_t *row)
{
	size_t n = 0;

	(void)row;
	to[0] = '\0';
	for (int i = 0; kinds[i] && n < size; i++)
		if (top_number(value, kinds[i]))
			n += snprintf(to + n, size - n, "%s%lld %s", n ? ", " : "",
				      (long long)top_number(value, kinds[i]), kinds[i]);
	if (!n)
		snprintf(to, size, "-");
}

static void print(const json_t *rows)
{
	static const struct output_field fields[] = {
		{ "PARTITION", "partition", NULL, false }, { "VCPU", "index", NULL, true },
		{ "MODE", "mode", NULL, false }, { "CPUS", "cpus", NULL, false },
		{ "RUN %", "cpu_percent", percent, true },
		{ "STOLEN %", "stolen_ns", part, true }, { "RESTED %", "rested_ns", part, true },
		{ "THROTTLED", "throttled", NULL, true }, { "FORCED", "forced", NULL, true },
		{ "WINDOWS", "windows", NULL, true }, { "OVERRUNS", "overruns", NULL, true },
		{ "LATE MAX, US", "late_max_ns", microseconds, true },
		{ "EXITS", "exits", most_exits, false }, { NULL, NULL, NULL, false }
	};

	output_table(stdout, fields, rows, "no partition runs");
}

/* Both in one object; vCPUs' "time", and that of the devices with them. */
static int look(const struct options *o, json_t **reply)
{
	struct error e = ERROR_NONE;
	json_t *devices = NULL;

	*reply = NULL;
	if (call(o, "GET", NULL, reply, &e, "/v1/contexts") != EXIT_OK ||
	    call(o, "GET", NULL, &devices, &e, "/v1/devices") != EXIT_OK) {
		json_decref(*reply);
		*reply = NULL;
		return give_up(o, &e);
	}
	json_object_set_new(*reply, "io", devices);
	return EXIT_OK;
}

int run_top(const struct options *o, int argc, char **argv)
{
	const struct timespec pause = { .tv_sec = o->interval_s ? o->interval_s : 1 };
	bool once = o->once || o->json || !isatty(STDOUT_FILENO);
	json_t *before, *reply, *rows, *devices, *all;
	int rc = look(o, &before);

	(void)argc, (void)argv;
	while (rc == EXIT_OK) {
		nanosleep(&pause, NULL);
		rc = look(o, &reply);
		if (rc != EXIT_OK)
			break;
		rows = compare(reply, before);
		devices = top_devices(json_object_get(reply, "io"), json_object_get(before, "io"));
		if (o->json) {
			all = json_pack("{s:i, s:O, s:O}", "schema_version",
					OUTPUT_SCHEMA_VERSION, "contexts", rows, "devices",
					devices);
			output_json(stdout, all);
			json_decref(all);
		} else {
			/* Home, and what was there before goes. */
			if (!once)
				fputs("\033[H\033[2J", stdout);
			print(rows);
			top_print_devices(devices);
			fflush(stdout);
		}
		json_decref(rows);
		json_decref(devices);
		json_decref(before);
		before = reply;
		if (once)
			break;
	}
	json_decref(before);
	return rc;
}
