/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: the host's numbers, named in docs/resource-service.md. What is not known has no
 * sample.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <common/exposition.h>
#include <linux/ultravisor.h>

#include "call.h"
#include "devices.h"
#include "render.h"

#define NS		1e9

/* ---- the host and its partitions */

static void host(struct exposition *x, const struct rows *rows)
{
	const struct command_row_host *h = rows_at(rows, COMMAND_ROW_HOST, 0);

	if (!rows_count(rows, COMMAND_ROW_HOST))
		return;
	exposition_family(x, "ultravisor_host_cpus", "gauge", "CPUs that partitions may use.");
	exposition_sample(x, "", h->cpus_pool, NULL);
	exposition_family(x, "ultravisor_host_memory_bytes", "gauge",
			  "Memory that partitions may use.");
	exposition_sample(x, "", h->memory_pool, NULL);
	exposition_family(x, "ultravisor_host_memory_assigned_bytes", "gauge",
			  "Memory that partitions have.");
	exposition_sample(x, "", h->memory_assigned, NULL);
	exposition_family(x, "ultravisor_transactions_total", "counter", "Lines of the ledger.");
	exposition_sample(x, "", h->transactions, NULL);
}

static void partitions(struct exposition *x, const struct rows *rows)
{
	exposition_family(x, "ultravisor_partition_state", "gauge", "1: the state that it is in.");
	for (rows_each(rows, PARTITION, partition, v))
		exposition_sample(x, "", 1, "partition", v->name, "kind", render_kind(v->kind),
				  "state", render_state(v->state), NULL);
	exposition_family(x, "ultravisor_partition_memory_bytes", "gauge",
			  "Memory that a guest has.");
	for (rows_each(rows, PARTITION, partition, v))
		if (v->kind == PARTITION_GUEST)
			exposition_sample(x, "", v->memory_assigned, "partition", v->name, NULL);
	exposition_family(x, "ultravisor_partition_reboots_total", "counter",
			  "Since it was started.");
	for (rows_each(rows, PARTITION, partition, v))
		if (v->kind == PARTITION_GUEST)
			exposition_sample(x, "", v->reboots, "partition", v->name, NULL);
}

static void vcpus(struct exposition *x, const struct rows *rows)
{
	static const struct {
		const char *family, *type, *help;
		size_t offset;
		double divisor;
	} families[] = {
#define VCPU(family, type, help, member, divisor) \
	{ "ultravisor_vcpu_" family, type, help, offsetof(struct command_row_context, member), \
	  divisor }
		VCPU("run_seconds_total", "counter", "The guest ran.", run_ns, NS),
		VCPU("stolen_seconds_total", "counter", "Something else ran in its place.",
		     stolen_ns, NS),
		VCPU("rested_seconds_total", "counter", "It was not to run.", rested_ns, NS),
		VCPU("throttled_total", "counter", "Periods in which its budget ran out.",
		     throttled, 1),
		VCPU("forced_total", "counter", "Times it was forced out.", forced, 1),
		VCPU("windows_total", "counter", "Windows that it was there for.", windows, 1),
		VCPU("overruns_total", "counter", "Windows that it left too late.", overruns, 1),
		VCPU("late_max_seconds", "gauge", "The latest opening of a window.", late_max_ns,
		     NS),
		VCPU("overrun_max_seconds", "gauge", "The longest overrun.", overrun_max_ns, NS),
#undef VCPU
	};
	uint64_t value;
	char index[16];

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		exposition_family(x, families[i].family, families[i].type, families[i].help);
		for (rows_each(rows, CONTEXT, context, c)) {
			memcpy(&value, (const char *)c + families[i].offset, sizeof(value));
			snprintf(index, sizeof(index), "%u", c->index);
			exposition_sample(x, "", value / families[i].divisor, "partition",
					  c->partition_name, "vcpu", index, NULL);
		}
	}
}

static void exits(struct exposition *x, const struct rows *rows)
{
	char index[16];

	exposition_family(x, "ultravisor_vcpu_exits_total", "counter",
			  "Exits of the guest, by kind.");
	for (rows_each(rows, CONTEXT, context, c)) {
		snprintf(index, sizeof(index), "%u", c->index);
		for (unsigned int i = 0; i < ULTRAVISOR_EXIT_NR; i++)
			exposition_sample(x, "", c->exits[i], "partition", c->partition_name,
					  "vcpu", index, "kind", render_exit(i), NULL);
	}
}

/* ---- devices */

/* What a server says of each of its devices: one number. */
static void device_numbers(struct exposition *x, const struct rows *rows, const struct devices *d)
{
	static const struct {
		const char *family, *type, *help;
		size_t offset;
		double divisor;
		bool disk;
	} families[] = {
#define DEVICE(family, type, help, member, divisor, disk) \
	{ "ultravisor_device_" family, type, help, offsetof(struct io_report, member), divisor, \
	  disk }
		DEVICE("failovers_total", "counter", "Servers that took it over.",
		       statistics.takeovers, 1, false),
		DEVICE("stall_seconds", "gauge", "What the last take-over made the guest wait.",
		       statistics.stall_ns, NS, false),
		DEVICE("stall_max_seconds", "gauge", "What any take-over made the guest wait.",
		       statistics.stall_max_ns, NS, false),
		DEVICE("in_flight", "gauge", "Requests taken and not finished.", in_flight, 1,
		       true),
#undef DEVICE
	};
	const struct io_report *r;
	uint64_t value;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		exposition_family(x, families[i].family, families[i].type, families[i].help);
		for (rows_each(rows, CHANNEL, channel, c)) {
			r = devices_is_device(c) ? devices_report(d, c) : NULL;
			if (!r || (families[i].disk && c->type != CHANNEL_BLOCK))
				continue;
			memcpy(&value, (const char *)r + families[i].offset, sizeof(value));
			exposition_sample(x, "", value / families[i].divisor, "partition",
					  c->partition_name, "device", c->name, NULL);
		}
	}
}

static void served(struct exposition *x, const struct rows *rows)
{
	const char *server;

	exposition_family(x, "ultravisor_device_served", "gauge", "1: by this I/O partition.");
	for (rows_each(rows, CHANNEL, channel, c)) {
		server = devices_is_device(c) ? devices_server(c) : NULL;
		if (server)
			exposition_sample(x, "", 1, "partition", c->partition_name, "device",
					  c->name, "type", render_channel_type(c->type), "server",
					  server, NULL);
	}
	exposition_family(x, "ultravisor_device_epoch", "gauge", "Version of its server.");
	for (rows_each(rows, CHANNEL, channel, c))
		if (devices_is_device(c))
			exposition_sample(x, "", c->epoch, "partition", c->partition_name, "device",
					  c->name, NULL);
}

static void operations(struct exposition *x, const struct rows *rows, const struct devices *d)
{
	static const struct {
		const char *family, *help;
		size_t offset;
	} families[] = {
		{ "ultravisor_device_requests_total", "Requests of disks, packets of cards.",
		  offsetof(struct io_counter, requests) },
		{ "ultravisor_device_bytes_total", "Bytes of them, and of consoles.",
		  offsetof(struct io_counter, bytes) },
		{ "ultravisor_device_errors_total", "Requests that failed, packets dropped.",
		  offsetof(struct io_counter, errors) },
	};
	const struct io_report *r;
	const char *word;
	uint64_t value;

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		exposition_family(x, families[i].family, "counter", families[i].help);
		for (rows_each(rows, CHANNEL, channel, c)) {
			r = devices_is_device(c) ? devices_report(d, c) : NULL;
			for (unsigned int k = 0; r && k < IO_OPERATIONS; k++) {
				word = devices_operation(c->type, k);
				if (!word)
					continue;
				memcpy(&value, (const char *)&r->statistics.operation[k] +
				       families[i].offset, sizeof(value));
				exposition_sample(x, "", value, "partition", c->partition_name,
						  "device", c->name, "operation", word, NULL);
			}
		}
	}
}

/* Each bucket counts all that are as fast or faster; the last one all there are. */
static void histogram(struct exposition *x, const struct command_row_channel *c,
		      unsigned int operation, const struct io_counter *counter)
{
	const char *word = devices_operation(c->type, operation);
	uint64_t sum = 0;
	char bound[32];

	for (unsigned int i = 0; i < IO_LATENCY_BUCKETS; i++) {
		sum += counter->latency[i];
		snprintf(bound, sizeof(bound), "%.9g", (1ull << (IO_LATENCY_FIRST + i)) / NS);
		exposition_sample(x, "_bucket", sum, "partition", c->partition_name, "device",
				  c->name, "operation", word, "le",
				  i == IO_LATENCY_BUCKETS - 1 ? "+Inf" : bound, NULL);
	}
	exposition_sample(x, "_sum", counter->latency_ns / NS, "partition", c->partition_name,
			  "device", c->name, "operation", word, NULL);
	exposition_sample(x, "_count", sum, "partition", c->partition_name, "device", c->name,
			  "operation", word, NULL);
}

static void latencies(struct exposition *x, const struct rows *rows, const struct devices *d)
{
	const struct io_report *r;

	exposition_family(x, "ultravisor_device_latency_seconds", "histogram",
			  "Requests of disks, from taken to done.");
	for (rows_each(rows, CHANNEL, channel, c)) {
		r = devices_is_device(c) && c->type == CHANNEL_BLOCK ? devices_report(d, c) : NULL;
		for (unsigned int k = 0; r && k < IO_OPERATIONS; k++)
			histogram(x, c, k, &r->statistics.operation[k]);
	}
}

static void answer(struct call *call, const struct devices *d)
{
	struct exposition x;
	char *text = NULL;

	if (exposition_begin(&x) == 0) {
		host(&x, call->rows);
		partitions(&x, call->rows);
		vcpus(&x, call->rows);
		exits(&x, call->rows);
		served(&x, call->rows);
		device_numbers(&x, call->rows, d);
		operations(&x, call->rows, d);
		latencies(&x, call->rows, d);
		text = exposition_end(&x);
	}
	http_reply_text(call->http, EXPOSITION_TYPE, text);
	call_abandon(call);
}

void metrics_get(struct http_request *http, void *data)
{
	devices_gather(http, data, answer);
}
