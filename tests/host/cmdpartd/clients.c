// SPDX-License-Identifier: Apache-2.0
/*
 * Clients of a host's resource service, each a process, that ask at once for transactions about a
 * few guests which do not all fit; what broke off is repeated until there is an answer, and some
 * that were answered are asked again. Behind that what was committed is done once more by a model,
 * in the ledger's order: each must have been possible where the ledger has it, each is in the
 * ledger once, and at the end the model has what the host's rows say.
 *
 *	clients FOLDER SECONDS SEED
 *
 * FOLDER has g0.json … g7.json, the definitions; what the clients saw is written there, too.
 * Domains default and batch exist. Prints counts, or what is wrong, and then exits with 1.
 */
#include <err.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <common/http_client.h>
#include <common/size.h>
#include <common/uuid.h>

#define CLIENTS	16
#define GUESTS	8
#define MIB	(1ULL << 20)

enum { DEFAULT, BATCH, DOMAINS };
static const char *const domain_names[DOMAINS] = { "default", "batch" };
static json_t *definitions[GUESTS];

static enum exit_code ask(const char *method, const char *path, const json_t *body, json_t **reply,
			  struct error *e)
{
	const struct http_call call = {
		.socket = "/run/ultravisor/cmdpartd.sock", .daemon = "cmdpartd", .method = method,
		.path = path, .body = body, .timeout_ms = 120000,
	};

	*reply = NULL;
	error_clear(e);
	return http_client_call(&call, reply, e);
}

static json_t *read_all(const char *path)
{
	struct error e = ERROR_NONE;
	unsigned int tries = 0;
	json_t *reply;

	while (ask("GET", path, NULL, &reply, &e)) {
		if (e.code != EXIT_UNREACHABLE || ++tries == 300)
			errx(1, "%s: %s", path, e.message);
		usleep(100000);
	}
	return reply;
}

/* ---- a client */

static unsigned int state;

static unsigned int draw(unsigned int below)
{
	state = state * 1103515245 + 12345;
	return (state >> 16) % below;
}

static json_t *compose_operation(void)
{
	static const char *const verbs[] = { "start", "kill", "pause", "resume", "undefine" };
	unsigned int what = draw(16), g = draw(GUESTS);
	char name[8];

	snprintf(name, sizeof(name), "g%u", g);
	if (what < 3)
		return json_pack("{sO}", "define", definitions[g]);
	if (what < 8)
		return json_pack("{ss}", "start", name);
	if (what < 11)
		return json_pack("{ss}", "kill", name);
	if (what < 14)
		return json_pack("{ss}", verbs[what - 9], name);
	if (what == 14)
		return json_pack("{s{ssss}}", "set", "partition", name, "domain",
				 domain_names[draw(DOMAINS)]);
	return json_pack("{s{ssso}}", "set-domain", "name", domain_names[draw(DOMAINS)], "memory",
			 json_sprintf("%uMiB", 128 * (1 + draw(5))));
}

static json_t *compose(void)
{
	unsigned int operations = 1 + draw(3) / 2 + draw(4) / 3;
	json_t *list = json_array();
	char text[UUID_TEXT];
	uint8_t id[UUID_LEN];

	while (operations-- > 0)
		json_array_append_new(list, compose_operation());
	uuid_random(id);
	uuid_format(id, text);
	return json_pack("{ssso}", "request_id", text, "operations", list);
}

/* Its answer: the exit code, and the ledger's number of what was committed. */
static enum exit_code answer(const json_t *request, json_int_t *number)
{
	struct error e = ERROR_NONE;
	enum exit_code code;
	json_t *reply;

	for (;;) {
		code = ask("POST", "/v1/transactions", request, &reply, &e);
		if (code != EXIT_UNREACHABLE && code != EXIT_UNKNOWN)
			break;
		usleep(100000);
	}
	if (code == EXIT_FAILED || code == EXIT_INVALID || code == EXIT_DENIED)
		errx(1, "%s: %s (%s)", json_dumps(request, JSON_COMPACT), e.message, e.why);
	*number = code ? 0 : json_integer_value(json_object_get(reply, "transaction"));
	json_decref(reply);
	error_clear(&e);
	return code;
}

static int client(const char *folder, unsigned int n, time_t end)
{
	json_t *seen = json_array(), *request;
	json_int_t number, again;
	enum exit_code code;
	char path[256];

	while (time(NULL) < end) {
		const json_t *old = json_array_get(seen, draw(json_array_size(seen) + 1));

		number = json_integer_value(json_object_get(old, "number"));
		if (number && draw(4) == 0) {
			code = answer(json_object_get(old, "request"), &again);
			if (code || again != number)
				errx(1, "transaction %lld, asked again: code %d, transaction %lld",
				     (long long)number, code, (long long)again);
			json_object_set_new((json_t *)old, "repeated", json_true());
			continue;
		}
		request = compose();
		code = answer(request, &number);
		json_array_append_new(seen, json_pack("{sosIsi}", "request", request, "number",
						      number, "code", code));
	}
	snprintf(path, sizeof(path), "%s/client-%u", folder, n);
	return json_dump_file(seen, path, 0) ? 1 : 0;
}

/* ---- the model */

struct guest {
	bool defined, on, paused;
	unsigned int domain;
};

struct model {
	struct guest guest[GUESTS];
	struct {
		uint64_t memory;
		unsigned int cpus;
	} domain[DOMAINS];
	uint64_t pool;
};

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static unsigned int domain_of(const char *name)
{
	return strcmp(name, domain_names[BATCH]) == 0 ? BATCH : DEFAULT;
}

static uint64_t size_of(const char *text)
{
	uint64_t bytes = 0;

	if (size_parse(text, &bytes) < 0)
		errx(1, "'%s' is no size", text);
	return bytes;
}

static uint64_t memory_of(unsigned int g)
{
	return size_of(string_of(definitions[g], "memory"));
}

static bool is_dedicated(unsigned int g)
{
	return !strcmp(string_of(json_object_get(definitions[g], "cpus"), "mode"), "dedicated");
}

/* Its first device is its disk. */
static const json_t *disk_of(unsigned int g)
{
	return json_array_get(json_object_get(definitions[g], "devices"), 0);
}

/* What no order of transactions may break. */
static const char *broken_rule(const struct model *m)
{
	uint64_t sum = 0;

	for (unsigned int d = 0; d < DOMAINS; d++) {
		unsigned int dedicated = 0, shared = 0;
		uint64_t used = 0;

		sum += m->domain[d].memory;
		for (unsigned int g = 0; g < GUESTS; g++)
			if (m->guest[g].on && m->guest[g].domain == d) {
				used += memory_of(g);
				*(is_dedicated(g) ? &dedicated : &shared) += 1;
			}
		if (used > m->domain[d].memory)
			return "a domain gives more memory than it has";
		if (dedicated + !!shared > m->domain[d].cpus)
			return "a domain gives more processors than it has";
	}
	if (sum > m->pool)
		return "the domains have more memory than the pool";
	for (unsigned int g = 0; g < GUESTS; g++)
		for (unsigned int o = 0; o < g; o++)
			if (m->guest[g].on && m->guest[o].on &&
			    !strcmp(string_of(disk_of(g), "path"), string_of(disk_of(o), "path")) &&
			    !(json_is_true(json_object_get(disk_of(g), "readonly")) &&
			      json_is_true(json_object_get(disk_of(o), "readonly"))))
				return "two guests have one disk, and one of them writes";
	return NULL;
}

/* Does what the operation asks for; or why it cannot have been committed. */
static const char *apply(struct model *m, const json_t *operation)
{
	const char *verb = json_object_iter_key(json_object_iter((json_t *)operation));
	const json_t *what = json_object_get(operation, verb);
	const char *name = json_string_value(what);
	struct guest *g;

	if (!strcmp(verb, "set-domain")) {
		m->domain[domain_of(string_of(what, "name"))].memory =
			size_of(string_of(what, "memory"));
		return NULL;
	}
	if (!name)
		name = string_of(what, !strcmp(verb, "define") ? "name" : "partition");
	g = &m->guest[name[1] - '0'];
	if (!strcmp(verb, "define")) {
		if (!g->defined)
			*g = (struct guest){ .defined = true };
		return g->domain == DEFAULT ? NULL : "defined otherwise";
	}
	if (!g->defined)
		return "not defined";
	if (!strcmp(verb, "undefine")) {
		if (g->on)
			return "on";
		g->defined = false;
	} else if (!strcmp(verb, "start")) {
		if (g->paused)
			return "paused";
		g->on = true;
	} else if (!strcmp(verb, "kill")) {
		g->on = g->paused = false;
	} else if (!strcmp(verb, "set")) {
		if (g->on && g->domain != domain_of(string_of(what, "domain")))
			return "on";
		g->domain = domain_of(string_of(what, "domain"));
	} else {
		if (!g->on)
			return "off";
		g->paused = !strcmp(verb, "pause");
	}
	return NULL;
}

static void replay(struct model *m, const json_t *request, json_int_t number)
{
	const char *wrong = NULL;
	const json_t *operation;
	size_t i;

	json_array_foreach(json_object_get(request, "operations"), i, operation) {
		wrong = apply(m, operation);
		if (!wrong)
			wrong = broken_rule(m);
		if (wrong)
			errx(1, "transaction %lld: %s: operation %zu of %s",
			     (long long)number, wrong, i, json_dumps(request, JSON_COMPACT));
	}
}

static void compare(const struct model *m)
{
	json_t *reply = read_all("/v1/partitions"), *row;
	unsigned int there = 0;
	size_t i;

	json_array_foreach(json_object_get(reply, "partitions"), i, row) {
		const char *name = string_of(row, "name"), *is = string_of(row, "state");
		const struct guest *g = &m->guest[(name[1] - '0') & 7];
		bool on = strcmp(is, "defined") != 0;

		if (strcmp(string_of(row, "kind"), "guest"))
			continue;
		there++;
		if (!g->defined || on != g->on || (strcmp(is, "paused") == 0) != g->paused ||
		    domain_of(string_of(row, "domain")) != g->domain ||
		    (uint64_t)json_integer_value(json_object_get(row, "memory_assigned")) !=
		    (on ? memory_of(g - m->guest) : 0))
			errx(1, "%s in domain %s is %s, with %lld bytes; in the model it is"
			     "%s %s%s in %s", name, string_of(row, "domain"), is,
			     json_integer_value(json_object_get(row, "memory_assigned")),
			     g->defined ? "" : " not defined,", g->on ? "on" : "off",
			     g->paused ? ", paused" : "", domain_names[g->domain]);
	}
	for (unsigned int g = 0; g < GUESTS; g++)
		there -= m->guest[g].defined;
	if (there)
		errx(1, "guests that the model has are not there");
	json_decref(reply);
}

static void read_domains(struct model *m)
{
	json_t *reply = read_all("/v1/domains"), *host = read_all("/v1/host"), *row;
	size_t i;

	json_array_foreach(json_object_get(reply, "domains"), i, row)
		m->domain[domain_of(string_of(row, "name"))].memory =
			json_integer_value(json_object_get(row, "memory"));
	json_array_foreach(json_object_get(host, "processors"), i, row)
		if (json_is_string(json_object_get(row, "domain")))
			m->domain[domain_of(string_of(row, "domain"))].cpus++;
	row = json_object_get(json_object_get(host, "host"), "memory");
	m->pool = json_integer_value(json_object_get(row, "pool"));
	json_decref(reply);
	json_decref(host);
}

static int by_number(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "number"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "number"));

	return x < y ? -1 : x > y;
}

/* The numbers of what the ledger has as committed behind `first`. */
static json_t *read_ledger(json_int_t first)
{
	json_t *all = json_object(), *reply, *row;
	char text[64];
	size_t i;

	do {
		snprintf(text, sizeof(text), "/v1/ledger?after=%lld&limit=1000", (long long)first);
		reply = read_all(text);
		json_array_foreach(json_object_get(reply, "ledger"), i, row) {
			first = json_integer_value(json_object_get(row, "transaction"));
			snprintf(text, sizeof(text), "%lld", (long long)first);
			if (!strcmp(string_of(row, "status"), "ok") &&
			    strcmp(string_of(row, "who"), "uvd"))
				json_object_set_new(all, text, json_true());
		}
		i = json_array_size(json_object_get(reply, "ledger"));
		json_decref(reply);
	} while (i);
	return all;
}

int main(int argc, char **argv)
{
	size_t committed = 0, nothing = 0, repeated = 0, refused[EXIT_CODES] = { 0 };
	json_t *seen = json_array(), *ledger, *part, *q, **order;
	struct model m = { .guest = { { 0 } } };
	json_int_t first, number;
	unsigned int seed;
	bool failed = false;
	char path[256];
	size_t i, n;
	time_t end;
	int status;

	if (argc != 4)
		errx(2, "usage: clients FOLDER SECONDS SEED");
	end = time(NULL) + atoi(argv[2]);
	seed = strtoul(argv[3], NULL, 10);
	for (unsigned int g = 0; g < GUESTS; g++) {
		snprintf(path, sizeof(path), "%s/g%u.json", argv[1], g);
		definitions[g] = json_load_file(path, 0, NULL);
		if (!definitions[g])
			errx(1, "%s cannot be read", path);
	}
	read_domains(&m);
	q = read_all("/v1/ledger?limit=1");
	first = json_integer_value(json_object_get(json_array_get(json_object_get(q, "ledger"), 0),
						   "transaction"));
	for (unsigned int c = 0; c < CLIENTS; c++) {
		state = seed + c;
		if (fork() == 0)
			_exit(client(argv[1], c, end));
	}
	while (wait(&status) > 0)
		failed |= status != 0;
	if (failed)
		return 1;

	for (unsigned int c = 0; c < CLIENTS; c++) {
		snprintf(path, sizeof(path), "%s/client-%u", argv[1], c);
		part = json_load_file(path, 0, NULL);
		json_array_extend(seen, part);
		json_decref(part);
	}
	n = json_array_size(seen);
	order = calloc(n, sizeof(json_t *));
	ledger = read_ledger(first);
	json_array_foreach(seen, i, q)
		order[i] = q;
	qsort(order, n, sizeof(json_t *), by_number);
	for (i = 0; i < n; i++) {
		const json_t *request = json_object_get(order[i], "request");
		int code = json_integer_value(json_object_get(order[i], "code"));

		number = json_integer_value(json_object_get(order[i], "number"));
		refused[code]++;
		repeated += json_is_true(json_object_get(order[i], "repeated"));
		nothing += !code && !number;
		if (!number)
			continue;
		committed++;
		snprintf(path, sizeof(path), "%lld", (long long)number);
		if (json_object_del(ledger, path))
			errx(1, "transaction %lld is not in the ledger, or two requests have it:"
			     " %s", (long long)number, json_dumps(request, JSON_COMPACT));
		replay(&m, request, number);
	}
	if (json_object_size(ledger))
		errx(1, "committed, and nobody's: %s", json_dumps(ledger, JSON_COMPACT));
	compare(&m);
	printf("%zu requests of %d clients: %zu committed, %zu with nothing to do, %zu not found,"
	       " %zu conflicts, %zu short of resources; %zu asked again\n", n, CLIENTS, committed,
	       nothing,
	       refused[EXIT_NOT_FOUND], refused[EXIT_CONFLICT], refused[EXIT_RESOURCES], repeated);
	free(order);
	json_decref(seen);
	json_decref(ledger);
	return 0;
}
