/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices did between two looks. A quantile is the upper bound of the bucket that it falls
 * into: "at most this", and no less than half of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/output.h>

#include "cmdpartctl.h"
#include "top.h"

static const char *const counters[] = { "requests", "bytes", "errors", "latency_ns", NULL };

json_int_t top_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

json_int_t top_difference(const json_t *now, const json_t *before, const char *key)
{
	json_int_t n = top_number(now, key), b = top_number(before, key);

	return n >= b ? n - b : n;
}

static const json_t *same(const json_t *list, const json_t *device)
{
	const json_t *d;
	size_t i;

	json_array_foreach(list, i, d)
		if (!strcmp(text(d, "partition"), text(device, "partition")) &&
		    !strcmp(text(d, "device"), text(device, "device")))
			return d;
	return NULL;
}

static json_t *buckets(const json_t *now, const json_t *before)
{
	json_t *list = json_array();
	const json_t *value;
	json_int_t n, b;
	size_t i;

	json_array_foreach(now, i, value) {
		n = json_integer_value(value);
		b = json_integer_value(json_array_get(before, i));
		json_array_append_new(list, json_integer(n >= b ? n - b : n));
	}
	return list;
}

/* Of all operations together; the bound's null is "longer than all of them". */
static json_t *quantile(const json_t *all, const json_t *bounds, double part)
{
	json_int_t total = 0, sum = 0;
	const json_t *bound, *o;
	const char *word;
	size_t i;

	json_object_foreach((json_t *)all, word, o)
		json_array_foreach(json_object_get(o, "latency"), i, bound)
			total += json_integer_value(bound);
	json_array_foreach(bounds, i, bound) {
		json_object_foreach((json_t *)all, word, o)
			sum += json_integer_value(json_array_get(json_object_get(o, "latency"), i));
		if (total && sum >= part * total)
			return json_incref((json_t *)bound);
	}
	return json_null();
}

static json_t *interval(const json_t *device, const json_t *before, const json_t *bounds,
			json_int_t elapsed)
{
	const json_t *operations = json_object_get(device, "operations"), *now;
	const json_t *operations_before = json_object_get(before, "operations"), *b;
	json_t *o = json_copy((json_t *)device), *all = json_object(), *one;
	json_int_t requests = 0, bytes = 0;
	const char *word;

	json_object_set_new(o, "interval_ns", json_integer(elapsed));
	/* Nobody serves it, or who does has not answered. */
	if (!operations) {
		json_decref(all);
		return o;
	}
	json_object_foreach((json_t *)operations, word, now) {
		b = json_object_get(operations_before, word);
		one = json_object();
		for (int i = 0; counters[i]; i++)
			if (json_object_get(now, counters[i]))
				json_object_set_new(one, counters[i], json_integer(
						    top_difference(now, b, counters[i])));
		if (json_object_get(now, "latency"))
			json_object_set_new(one, "latency", buckets(json_object_get(now, "latency"),
								    json_object_get(b, "latency")));
		requests += top_number(one, "requests");
		bytes += top_number(one, "bytes");
		json_object_set_new(all, word, one);
	}
	json_object_set_new(o, "operations", all);
	json_object_set_new(o, "requests", json_integer(requests));
	json_object_set_new(o, "bytes", json_integer(bytes));
	json_object_set_new(o, "latency_p50_ns", quantile(all, bounds, 0.5));
	json_object_set_new(o, "latency_p99_ns", quantile(all, bounds, 0.99));
	return o;
}

static int busier(const void *a, const void *b)
{
	json_int_t x = top_number(*(json_t *const *)a, "bytes");
	json_int_t y = top_number(*(json_t *const *)b, "bytes");

	return (x < y) - (x > y);
}

json_t *top_devices(const json_t *reply, const json_t *before)
{
	const json_t *list = json_object_get(reply, "devices"), *d;
	const json_t *bounds = json_object_get(reply, "latency_bounds_ns");
	json_int_t elapsed = top_number(reply, "time") - top_number(before, "time");
	json_t **rows = calloc(json_array_size(list) + 1, sizeof(*rows)), *sorted = json_array();
	size_t i, n = 0;

	json_array_foreach(list, i, d)
		if (rows)
			rows[n++] = interval(d, same(json_object_get(before, "devices"), d), bounds,
					     elapsed);
	if (rows)
		qsort(rows, n, sizeof(*rows), busier);
	for (i = 0; i < n; i++)
		json_array_append_new(sorted, rows[i]);
	free(rows);
	return sorted;
}

/* ---- the table */

static void a_second(char *to, size_t size, const json_t *value, const json_t *row)
{
	json_int_t elapsed = top_number(row, "interval_ns");

	if (value && elapsed > 0)
		snprintf(to, size, "%.0f", json_integer_value(value) * 1e9 / elapsed);
	else
		snprintf(to, size, "-");
}

static void bytes_a_second(char *to, size_t size, const json_t *value, const json_t *row)
{
	json_int_t elapsed = top_number(row, "interval_ns");
	json_t *rate;

	if (!value || elapsed <= 0) {
		snprintf(to, size, "-");
		return;
	}
	rate = json_integer(json_integer_value(value) * 1e9 / elapsed);
	output_bytes(to, size, rate, row);
	json_decref(rate);
}

static void microseconds(char *to, size_t size, const json_t *value, const json_t *row)
{
	(void)row;
	if (json_is_integer(value))
		snprintf(to, size, "%.0f", json_integer_value(value) / 1e3);
	else
		snprintf(to, size, "-");
}

/* Of the last take-over; it may not be over. */
static void stall(char *to, size_t size, const json_t *value, const json_t *row)
{
	if (json_is_true(json_object_get(row, "waits")))
		snprintf(to, size, "waits");
	else if (top_number(row, "failovers"))
		snprintf(to, size, "%.1f", json_integer_value(value) / 1e6);
	else
		snprintf(to, size, "-");
}

static void errors(char *to, size_t size, const json_t *value, const json_t *row)
{
	json_int_t n = 0;
	const char *word;
	json_t *o;

	(void)row;
	json_object_foreach((json_t *)value, word, o)
		n += top_number(o, "errors");
	snprintf(to, size, "%lld", (long long)n);
}

void top_print_devices(const json_t *rows)
{
	static const struct output_field fields[] = {
		{ "PARTITION", "partition", NULL, false }, { "DEVICE", "device", NULL, false },
		{ "TYPE", "type", NULL, false }, { "SERVER", "server", NULL, false },
		{ "EPOCH", "epoch", NULL, true },
		{ "REQUESTS/S", "requests", a_second, true },
		{ "BYTES/S", "bytes", bytes_a_second, true },
		{ "P50, US", "latency_p50_ns", microseconds, true },
		{ "P99, US", "latency_p99_ns", microseconds, true },
		{ "IN FLIGHT", "in_flight", NULL, true },
		{ "ERRORS", "operations", errors, true },
		{ "FAILOVERS", "failovers", NULL, true },
		{ "STALL, MS", "stall_ns", stall, true }, { NULL, NULL, NULL, false }
	};

	if (!json_array_size(rows))
		return;
	putchar('\n');
	output_table(stdout, fields, rows, NULL);
}
