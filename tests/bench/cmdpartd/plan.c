/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole plan on a host of 256 CPUs and 8 nodes beside 1,000 partitions that run: a request to
 * cmdpartd's socket, rows read from uvd, a decision, uvd's trial in its book, rolled back, and
 * the answer. Three processes: this one asks, cmdpartd's code and uvd's are in one each.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <common/http_client.h>
#include <common/log.h>

#include "../../../cmdpartd/service.h"
#include "../uvd/book.h"

#define CPUS		256
#define NODES		8
#define PARTITIONS	1000
#define ROUNDS		9
#define EACH		100	/* plans of one kind in a round */
#define AIM_MS		10.0	/* p99 */

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

/* The machine has not the nodes that memory is bound to. */
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return number == SYS_mbind ? 0 : __real_syscall(number, a, b, c, d, e, f);
}

static void draw(struct inventory *inv)
{
	memset(inv, 0, sizeof(*inv));
	inv->cpus = CPUS;
	inv->nodes = NODES;
	inv->memory = inv->available = 4ull << 40;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		struct inventory_cpu *c = &inv->cpu[cpu];

		c->online = true;
		c->node = c->package = cpu / (CPUS / NODES);
		c->core = cpu % (CPUS / NODES) / 2;
		cpuset_add(&c->siblings, cpu & ~1u);
		cpuset_add(&c->siblings, cpu | 1u);
	}
	for (unsigned int node = 0; node < NODES; node++) {
		inv->node[node].present = true;
		inv->node[node].memory = inv->memory / NODES;
	}
}

/* ---- cmdpartd */

static void nothing(void *data)
{
	(void)data;
}

static void on_uvd(void *data)
{
	mirror_forget(((struct service *)data)->mirror);
	service_prepare(data);
}

static int command(struct channel *channel, int listen_fd)
{
	static struct service service;
	static struct policy policy;
	const struct http_server_config config = {
		.routes = service_routes, .admit = service_admit, .data = &service,
	};
	struct http_server *http;
	sd_event *event;
	int rc;

	if (!freopen("build/bench/cmdpartd.log", "a", stderr))
		return 1;
	log_init("cmdpartd", false);
	policy_defaults(&policy);
	policy.partitions = 2 * PARTITIONS;
	policy.vcpus_per_cpu = 64;
	/* Else shared contexts may run everywhere, and a dedicated one is refused at once. */
	cpuset_parse(&policy.dedicated, "224-255");
	policy.has_dedicated = true;
	LIST_INIT(&service.flying);
	LIST_INIT(&service.reservations);
	service.policy = &policy;
	service.policy_path = "";
	service.run = service.state = "/nonexistent";
	service.operations = -1;
	service.prepared = nothing;
	access_open(&service.access);
	rc = sd_event_default(&event);
	service.event = event;
	if (rc >= 0)
		rc = uvdlink_open(&service.link, event, NULL, on_uvd, &service);
	if (rc >= 0)
		rc = mirror_open(&service.mirror, service.link);
	if (rc >= 0)
		rc = uvdlink_attach(service.link, channel);
	if (rc >= 0)
		rc = http_server_open(&http, event, listen_fd, &config);
	if (rc >= 0)
		rc = sd_event_loop(event);
	fprintf(stderr, "cmdpartd: %s\n", strerror(-rc));
	return 1;
}

/* ---- who asks */

static char path[64];

static json_t *ask(const char *to, json_t *body)
{
	const struct http_call call = {
		.socket = path, .daemon = "cmdpartd", .method = "POST", .path = to, .body = body,
	};
	struct error e = ERROR_NONE;
	json_t *reply;

	if (http_client_call(&call, &reply, &e) != EXIT_OK)
		die("%s: %s; %s", to, e.message, e.why);
	json_decref(body);
	return reply;
}

static void set(unsigned int i, json_t *keys)
{
	char name[COMMAND_NAME_LEN], to[128];

	book_name(name, i);
	snprintf(to, sizeof(to), "/v1/partitions/%s/set", name);
	json_decref(ask(to, keys));
}

static struct kind {
	const char *what;
	unsigned int partition;
	bool changes;			/* another partition, before each plan */
	bool refused;
	double p50[ROUNDS], p99[ROUNDS];
} kinds[] = {
	{ .what = "shared", .partition = PARTITIONS },
	{ .what = "dedicated", .partition = PARTITIONS + 1 },
	{ .what = "window", .partition = PARTITIONS + 7 },
	{ .what = "shared, a transaction before each", .partition = PARTITIONS, .changes = true },
};

static void measure(struct kind *kind, unsigned int round)
{
	char name[COMMAND_NAME_LEN];
	double ms[EACH];

	book_name(name, kind->partition);
	for (unsigned int k = 0; k < EACH; k++) {
		json_t *answer;

		if (kind->changes)
			set(PARTITIONS + 3, json_pack("{s:{s:i, s:i}}", "cpus", "budget_ms",
						      1 + k % 99, "period_ms", 100));
		ms[k] = seconds();
		answer = ask("/v1/plan", json_pack("{s:s}", "partition", name));
		ms[k] = (seconds() - ms[k]) * 1e3;
		kind->refused |= !json_is_true(json_object_get(answer, "fits"));
		json_decref(answer);
	}
	kind->p50[round] = median(ms, EACH);
	kind->p99[round] = quantile(ms, EACH, 0.99);
}

static void print(struct kind *kind)
{
	double p99 = median(kind->p99, ROUNDS);

	printf("  %-36s %-8s median %6.2f ms   p99 %6.2f ms   aim: at most %.0f%s\n", kind->what,
	       kind->refused ? "refused" : "fits", median(kind->p50, ROUNDS), p99, AIM_MS,
	       p99 <= AIM_MS ? "" : "  AIM MISSED");
}

int main(void)
{
	static struct inventory inv;
	static struct book book = { .mixed = true };
	char directory[] = "build/bench/book.XXXXXX";
	struct error e = ERROR_NONE;
	struct channel *client;
	pid_t uvd, cmdpartd;
	int fd;

	if (!mkdtemp(directory))
		die("%s: %s", directory, strerror(errno));
	draw(&inv);
	book_open(&book, directory, &inv);
	book_domain(&book);
	book_fill(&book, 0, PARTITIONS + 10);
	book_close(&book);

	snprintf(path, sizeof(path), "/tmp/bench.plan.%d", (int)getpid());
	fd = http_listen(path, &e);
	if (fd < 0)
		die("%s", e.message);
	uvd = book_serve(directory, &inv, &client);
	fflush(NULL);
	cmdpartd = fork();
	if (cmdpartd == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(command(client, fd));
	}
	close(fd);
	channel_close(client);
	usleep(300000);
	for (unsigned int i = 0; i < PARTITIONS; i++) {
		char to[128], name[COMMAND_NAME_LEN];

		book_name(name, i);
		snprintf(to, sizeof(to), "/v1/partitions/%s/start", name);
		json_decref(ask(to, json_object()));
	}
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			measure(&kinds[k], round);
	for (unsigned int k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		print(&kinds[k]);
	kill(cmdpartd, SIGKILL);
	kill(uvd, SIGKILL);
	waitpid(cmdpartd, NULL, 0);
	waitpid(uvd, NULL, 0);
	unlink(path);
	book_remove(directory);
	return 0;
}
