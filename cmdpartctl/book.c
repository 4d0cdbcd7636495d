/* SPDX-License-Identifier: Apache-2.0 */
/* What uvd's book tells of the past: transactions, and who had what when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/http_client.h>
#include <common/output.h>

#include "cmdpartctl.h"

#define END { NULL, NULL, NULL, false }

static void author(char *to, size_t size, const json_t *value, const json_t *row)
{
	const json_t *epoch = json_object_get(row, "epoch"), *pid = json_object_get(row, "pid");
	const char *who = json_string_value(value);

	if (json_is_integer(epoch))
		snprintf(to, size, "%s (epoch %lld)", who ? who : "?", (long long)
			 json_integer_value(epoch));
	else if (json_is_integer(pid))
		snprintf(to, size, "%s (process %lld)", who ? who : "?", (long long)
			 json_integer_value(pid));
	else
		snprintf(to, size, "%s", who ? who : "?");
}

static void outcome(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *refusal = text(row, "text"), *status = json_string_value(value);

	snprintf(to, size, "%s%s%s", status ? status : "?", *refusal ? ": " : "", refusal);
}

void print_ledger(const json_t *reply)
{
	static const struct output_field fields[] = {
		{ "NUMBER", "transaction", NULL, true }, { "TIME", "time", output_time, false },
		{ "WHO", "who", author, false }, { "WHAT", "summary", NULL, false },
		{ "OUTCOME", "status", outcome, false }, { "REASON", "reason", NULL, false }, END
	};

	output_table(stdout, fields, json_object_get(reply, "ledger"), "no transactions");
}

int run_ledger(const struct options *o, int argc, char **argv)
{
	char path[128];

	(void)argc, (void)argv;
	if (o->has_after)
		snprintf(path, sizeof(path), "/v1/ledger?limit=%u&after=%llu",
			 o->limit ? o->limit : 100, (unsigned long long)o->after);
	else
		snprintf(path, sizeof(path), "/v1/ledger?limit=%u", o->limit ? o->limit : 100);
	return show(o, path, NULL, print_ledger);
}

/* ---- verify */

static void print_compared(FILE *to, const json_t *list)
{
	const char *between = ": ";
	const json_t *row;
	size_t i;

	fputs("compared", to);
	json_array_foreach(list, i, row) {
		fprintf(to, "%s%s %lld", between, text(row, "what"),
			(long long)json_integer_value(json_object_get(row, "compared")));
		between = ", ";
	}
	fputc('\n', to);
}

int run_verify(const struct options *o, int argc, char **argv)
{
	static const struct output_field fields[] = {
		{ "WHAT", "what", NULL, false }, { "IS IN", "where", NULL, false },
		{ "IS NOT IN", "missing", NULL, false }, { "WHAT TO DO", "fix", NULL, false }, END
	};
	struct error e = ERROR_NONE;
	const json_t *differences;
	json_t *reply;
	size_t n;

	(void)argc, (void)argv;
	if (call(o, "GET", NULL, &reply, &e, "/v1/verify") != EXIT_OK)
		return give_up(o, &e);
	differences = json_object_get(reply, "differences");
	n = json_array_size(differences);
	if (o->json) {
		output_json(stdout, reply);
	} else if (!n) {
		fputs("no differences; ", stdout);
		print_compared(stdout, json_object_get(reply, "compared"));
	} else {
		output_table(stdout, fields, differences, NULL);
	}
	json_decref(reply);
	return n ? EXIT_DIFFERENT : EXIT_OK;
}

/* ---- history */

static void until(char *to, size_t size, const json_t *value, const json_t *row)
{
	if (json_is_integer(value))
		output_time(to, size, value, row);
	else
		snprintf(to, size, "now");
}

static void resource(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *noun = json_string_value(value), *part = text(row, "part");
	bool context = noun && !strcmp(noun, "processor") && *part;
	bool server = noun && !strcmp(noun, "server");

	snprintf(to, size, "%s %s%s%s%s", noun ? noun : "?", text(row, "key"),
		 context ? ", context " : server ? ", slot " : "", context || server ? part : "",
		 noun && !strcmp(noun, "memory") ? " (node)" : "");
}

static void owner(char *to, size_t size, const json_t *value, const json_t *row)
{
	const char *name = json_string_value(value);
	const char *domain = json_string_value(json_object_get(json_object_get(row, "row"),
							       "domain"));

	if (name && *name)
		snprintf(to, size, "%s", name);
	else if (domain)
		snprintf(to, size, "domain %s", domain);
	else
		snprintf(to, size, "-");
}

/* The row in a few words: its members that tell something, in their order. */
static void contents(char *to, size_t size, const json_t *value, const json_t *row)
{
	static const char *const states[] = { "", "defined", "starting", "running", "paused",
					      "stopping", "failed" };
	static const char *const modes[] = { "", "shared", "dedicated", "window" };
	const char *noun = text(row, "noun");
	json_int_t n;

	n = json_integer_value(json_object_get(value, !strcmp(noun, "partition") ? "state" :
					       !strcmp(noun, "memory") ? "bytes" :
					       !strcmp(noun, "domain") ? "memory" : "mode"));
	if (!strcmp(noun, "partition"))
		snprintf(to, size, "%s %s", states[n > 0 && n < 7 ? n : 0], text(value, "reason"));
	else if (!strcmp(noun, "memory") || !strcmp(noun, "domain"))
		output_bytes(to, size, json_object_get(value, !strcmp(noun, "memory") ? "bytes" :
						       "memory"), row);
	else if (!strcmp(noun, "device"))
		snprintf(to, size, "%s (%s)", text(row, "part"), text(value, "resource"));
	else if (!strcmp(noun, "processor") && *text(row, "part"))
		snprintf(to, size, "%s", modes[n > 0 && n < 4 ? n : 0]);
	else
		snprintf(to, size, "-");
}

static void print_history(const json_t *reply)
{
	static const struct output_field fields[] = {
		{ "SINCE", "since", output_time, false }, { "UNTIL", "until", until, false },
		{ "WHAT", "noun", resource, false }, { "OWNER", "owner", owner, false },
		{ "ROW", "row", contents, false }, { "TRANSACTION", "transaction", NULL, true },
		{ "WHO", "who", NULL, false }, END
	};

	output_table(stdout, fields, json_object_get(reply, "history"), "nothing");
}

int run_history(const struct options *o, int argc, char **argv)
{
	char *of = http_client_escape(argv[0]), path[4096];
	int n;

	(void)argc;
	n = snprintf(path, sizeof(path), "/v1/history?of=%s", of ? of : "");
	free(of);
	if (o->at_ns && n < (int)sizeof(path))
		n += snprintf(path + n, sizeof(path) - n, "&at=%llu", (unsigned long long)o->at_ns);
	if (o->has_after && n < (int)sizeof(path))
		n += snprintf(path + n, sizeof(path) - n, "&after=%llu",
			      (unsigned long long)o->after);
	if (o->limit && n < (int)sizeof(path))
		snprintf(path + n, sizeof(path) - n, "&limit=%u", o->limit);
	return show(o, path, NULL, print_history);
}
