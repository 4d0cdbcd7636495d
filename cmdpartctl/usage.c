/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line. Commands are matched whole, never by a prefix: some of them end something.
 * Options may stand anywhere behind the command or before it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <common/json_file.h>
#include <common/uuid.h>

#include "usage.h"

#define REASON_LEN	256	/* as in struct command_header */

const struct command commands[] = {
	{ "define", "FILE", "define a partition (FILE - is standard input)", "rR", 1, 1,
	  run_define },
	{ "undefine", "NAME", "remove a partition that is off", "rR", 1, 1, run_undefine },
	{ "start", "NAME", "start it, wait until it runs", "rRtwp", 1, 1, run_start },
	{ "stop", "NAME", "press its power button, wait until it is off; never kills", "rRtw",
	  1, 1, run_stop },
	{ "kill", "NAME", "pull its plug", "rR", 1, 1, run_kill },
	{ "pause", "NAME", "hold all its vCPUs", "rR", 1, 1, run_pause },
	{ "resume", "NAME", "let them go on", "rR", 1, 1, run_resume },
	{ "set", "NAME KEY=VALUE...", "change its processor time, or a device's limits", "rR", 2, 6,
	  run_set },
	{ "io", "failover|reset|resize NAME DEVICE",
	  "let a standby serve; make it anew; let a disk grow", "rR", 3, 3,
	  run_io },
	{ "lease", "renew NAME", "let it run on for the time of its lease", "", 2, 2, run_lease },
	{ "list", "", "the partitions", "", 0, 0, run_list },
	{ "show", "NAME | --map", "all of one partition, or who owns what of the host", "m", 0, 1,
	  run_show },
	{ "top", "", "what vCPUs and devices do, every second", "1i", 0, 0, run_top },
	{ "console", "NAME", "its serial port; ^] ends it", "lo", 1, 1, run_console },
	{ "plan", "FILE|NAME [KEY=VALUE...]",
	  "what starting it would do, and why; nothing is done", "ve", 0, 5, run_plan },
	{ "why", "NAME", "why it has what it has, or is refused, and who asked", "", 1, 1,
	  run_why },
	{ "transact", "FILE", "do a list of operations, all or none", "rR", 1, 1, run_transact },
	{ "backup", "FILE", "copy the resource database, while it is in use", "", 1, 1,
	  run_backup },
	{ "history", "NAME|NOUN:KEY", "who had it, and what it was, over time", "naT", 1, 1,
	  run_history },
	{ "verify", "", "compare the book with kernel, processes and devices", "", 0, 0,
	  run_verify },
	{ "events", "", "what happens: transactions, states, servers, leases", "nF", 0, 0,
	  run_events },
	{ "ledger", "", "the committed and refused transactions", "na", 0, 0, run_ledger },
	{ "host", "[stop | start | purge]", "the host's processors and memory, and whose they are",
	  "rRtf", 0, 1, run_host },
	{ "domain", "[create NAME CPUS MEMORY [FRAME_MS] | set NAME KEY=VALUE... | destroy NAME]",
	  "the domains", "rR", 0, 6, run_domain },
	{ "policy", "[reload]", "the policy in force, or read it anew", "rR", 0, 1, run_policy },
	{ NULL, NULL, NULL, NULL, 0, 0, NULL }
};

static const struct {
	char letter;		/* in a command's options; 0: of all commands */
	const char *name, *value, *what;
} options[] = {
	{ 'r', "--request-id", "UUID", "repeat an earlier request; nothing is done twice" },
	{ 'R', "--reason", "TEXT", "why, for the ledger" },
	{ 't', "--timeout", "SECONDS", "how long to wait (start 60, stop 120, of each guest)" },
	{ 'w', "--no-wait", NULL, "do not wait for the outcome" },
	{ 'l', "--log", NULL, "print what it has printed so far, and end" },
	{ 'o', "--read-only", NULL, "look on, type nothing" },
	{ 'f', "--force", NULL, "host stop: kill guests that do not power off; host purge: do it" },
	{ 'n', "--limit", "N", "the last N (100)" },
	{ 'v', "--reserve", "SECONDS", "hold what it would get for so long (at most 3600)" },
	{ 'e', "--release", "TOKEN", "give back what a plan holds" },
	{ 'p', "--plan", "TOKEN", "with just what a plan has reserved" },
	{ 'm', "--map", NULL, "the host's processors, memory and devices, and whose they are" },
	{ '1', "--once", NULL, "one interval, then end" },
	{ 'i', "--interval", "SECONDS", "between two looks (1)" },
	{ 'a', "--after", "N", "those after number N" },
	{ 'F', "--follow", NULL, "go on with what happens" },
	{ 'T', "--at", "TIME", "what was so then: \"2026-01-31 12:00:00\", or @SECONDS" },
	{ 0, "--json", NULL, "print JSON, errors too" },
	{ 0, "--socket", "PATH", "cmdpartd's socket (" CMDPARTCTL_SOCKET ")" },
	{ 0, "--help", NULL, "print this" },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static void print_option(FILE *to, size_t i)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s", options[i].name, options[i].value ? " " : "",
		 options[i].value ? options[i].value : "");
	fprintf(to, "  %-18s %s\n", text, options[i].what);
}

void usage_print(FILE *to, const struct command *command)
{
	if (!command) {
		fputs("usage: cmdpartctl COMMAND [OPTION]… [ARGUMENT]…\n\n"
		      "Asks the host's command partition.\n\n", to);
		for (const struct command *c = commands; c->name; c++) {
			char text[64];

			snprintf(text, sizeof(text), "%s %s", c->name,
				 strlen(c->arguments) > 14 ? "..." : c->arguments);
			fprintf(to, "  %-18s %s\n", text, c->what);
		}
		fputs("\nOptions of all commands:\n", to);
	} else {
		fprintf(to, "usage: cmdpartctl %s [OPTION]…%s%s\n\n%s: %s\n\n", command->name,
			command->arguments[0] ? " " : "", command->arguments, command->name,
			command->what);
	}
	for (size_t i = 0; i < OPTIONS; i++)
		if (!options[i].letter || (command && strchr(command->options, options[i].letter)))
			print_option(to, i);
	if (!command)
		fputs("\ncmdpartctl COMMAND --help tells a command's own options.\n"
		      "Exit codes: 0 done, or so already; 1 failed; 2 bad command line or\n"
		      "definition; 3 not found; 4 conflict; 5 not enough resources; 6 denied;\n"
		      "7 cmdpartd unreachable, nothing was done; 8 outcome unknown, repeat with\n"
		      "--request-id; 9 verify found differences\n", to);
}

const struct command *usage_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int bad(struct error *e, const char *what, const char *why)
{
	error_set(e, EXIT_INVALID, "%s", why);
	error_where(e, "%s", what);
	return error_fix(e, "cmdpartctl --help lists commands and options");
}

static int unknown_command(const char *name, struct error *e)
{
	const char *names[sizeof(commands) / sizeof(commands[0])] = { NULL }, *nearest;

	for (size_t i = 0; commands[i].name; i++)
		names[i] = commands[i].name;
	bad(e, name, "there is no such command");
	nearest = json_file_nearest(name, names);
	return nearest ? error_fix(e, "did you mean \"%s\"?", nearest) : -1;
}

static int number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *out,
		  struct error *e)
{
	char *end;

	*out = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && !*end && *out >= low && *out <= high)
		return 0;
	error_set(e, EXIT_INVALID, "\"%.64s\" is not a number from %llu to %llu", text,
		  (unsigned long long)low, (unsigned long long)high);
	return error_where(e, "%s", name);
}

/* Refused here and not by cmdpartd alone: JSON cannot carry what is not UTF-8. */
static int reason(struct options *o, const char *value, struct error *e)
{
	json_t *text = json_string(value);
	size_t n = strlen(value);

	o->reason = value;
	json_decref(text);
	if (text && n < REASON_LEN)
		return 0;
	if (text)
		error_set(e, EXIT_INVALID, "the reason is too long: %zu bytes", n);
	else
		error_set(e, EXIT_INVALID, "the reason is no text in UTF-8");
	error_where(e, "--reason");
	return error_fix(e, "use at most %d bytes of UTF-8", REASON_LEN - 1);
}

/* Local time, as the tables print it. */
static int moment(const char *text, uint64_t *ns, struct error *e)
{
	static const char *const forms[] = { "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%d %H:%M", "%Y-%m-%d" };
	struct tm tm;
	const char *end;
	time_t t = -1;

	for (size_t i = 0; t < 0 && i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		tm.tm_isdst = -1;
		end = strptime(text, forms[i], &tm);
		if (end && !*end)
			t = mktime(&tm);
	}
	if (text[0] == '@') {
		if (number("--at", text + 1, 1, UINT32_MAX, ns, e) < 0)
			return -1;
		t = *ns;
	}
	*ns = (uint64_t)t * 1000000000u;
	if (t > 0)
		return 0;
	error_set(e, EXIT_INVALID, "\"%.64s\" is no time", text);
	error_where(e, "--at");
	return error_fix(e, "write \"2026-01-31 12:00:00\", or @SECONDS since 1970");
}

static int set(struct options *o, size_t i, const char *value, struct error *e)
{
	const char *name = options[i].name;
	uint8_t uuid[UUID_LEN];
	uint64_t n = 0;

	if (!strcmp(name, "--json")) {
		o->json = true;
	} else if (!strcmp(name, "--socket")) {
		o->socket = value;
	} else if (!strcmp(name, "--request-id")) {
		if (uuid_read(uuid, value) < 0)
			return bad(e, name, "this is not a UUID");
		o->request_id = value;
	} else if (!strcmp(name, "--reason")) {
		return reason(o, value, e);
	} else if (!strcmp(name, "--at")) {
		return moment(value, &o->at_ns, e);
	} else if (!strcmp(name, "--plan") || !strcmp(name, "--release")) {
		if (uuid_read(uuid, value) < 0)
			return bad(e, name, "this is no plan's token");
		*(!strcmp(name, "--plan") ? &o->plan : &o->release) = value;
	} else if (!strcmp(name, "--reserve")) {
		if (number(name, value, 1, 3600, &n, e) < 0)
			return -1;
		o->reserve_s = n;
	} else if (!strcmp(name, "--timeout")) {
		if (number(name, value, 1, 86400, &n, e) < 0)
			return -1;
		o->timeout_s = n;
	} else if (!strcmp(name, "--no-wait")) {
		o->no_wait = true;
	} else if (!strcmp(name, "--force")) {
		o->force = true;
	} else if (!strcmp(name, "--log")) {
		o->log = true;
	} else if (!strcmp(name, "--read-only")) {
		o->read_only = true;
	} else if (!strcmp(name, "--limit")) {
		if (number(name, value, 1, 1000, &n, e) < 0)
			return -1;
		o->limit = n;
	} else if (!strcmp(name, "--map")) {
		o->map = true;
	} else if (!strcmp(name, "--follow")) {
		o->follow = true;
	} else if (!strcmp(name, "--once")) {
		o->once = true;
	} else if (!strcmp(name, "--interval")) {
		if (number(name, value, 1, 3600, &n, e) < 0)
			return -1;
		o->interval_s = n;
	} else if (!strcmp(name, "--after")) {
		o->has_after = true;
		return number(name, value, 0, INT64_MAX, &o->after, e);
	}
	return 0;
}

/* --name VALUE or --name=VALUE; *used counts the words taken. */
static int read_option(int argc, char **argv, struct options *o, char *letter, int *used,
		       struct error *e)
{
	const char *value = strchr(argv[0], '=');
	size_t n = value ? (size_t)(value - argv[0]) : strlen(argv[0]), i;

	for (i = 0; i < OPTIONS; i++)
		if (strlen(options[i].name) == n && !strncmp(options[i].name, argv[0], n))
			break;
	if (i == OPTIONS)
		return bad(e, argv[0], "there is no such option");
	if (value && !options[i].value)
		return bad(e, options[i].name, "takes no value");
	*used = 1;
	if (options[i].value && !value) {
		if (argc < 2)
			return bad(e, options[i].name, "its value is missing");
		*used = 2;
	}
	*letter = options[i].letter;
	return set(o, i, value ? value + 1 : argc > 1 ? argv[1] : NULL, e);
}

static int check(const struct command *c, const char *letters, int n, struct error *e)
{
	char text[64];

	for (; *letters; letters++)
		if (!strchr(c->options, *letters)) {
			for (size_t i = 0; i < OPTIONS; i++)
				if (options[i].letter == *letters)
					snprintf(text, sizeof(text), "%s", options[i].name);
			error_set(e, EXIT_INVALID, "this is no option of the command %s", c->name);
			error_where(e, "%s", text);
			return error_fix(e, "cmdpartctl %s --help lists its options", c->name);
		}
	if (n >= c->least && n <= c->most)
		return 0;
	error_set(e, EXIT_INVALID, "%s", n < c->least ? "an argument is missing" :
		  "there are too many arguments");
	error_where(e, "%s", c->name);
	return error_fix(e, "usage: cmdpartctl %s %s", c->name, c->arguments);
}

int usage_parse(int argc, char **argv, struct options *o, const struct command **command,
		int *arguments, char ***values, struct error *e)
{
	char letters[OPTIONS * 4] = "", letter = 0;
	bool help = false, literal = false;
	int n = 0, used;

	*command = NULL;
	*values = argv;
	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (!literal && !strcmp(argv[i], "--")) {
			literal = true;
		} else if (!literal && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			help = true;
		} else if (!literal && argv[i][0] == '-' && argv[i][1]) {
			if (read_option(argc - i, argv + i, o, &letter, &used, e) < 0)
				return -1;
			if (letter && strlen(letters) < sizeof(letters) - 1)
				letters[strlen(letters)] = letter;
		} else if (!*command) {
			*command = usage_find(argv[i]);
			if (!*command)
				return unknown_command(argv[i], e);
		} else {
			argv[n++] = argv[i];
		}
	}
	*arguments = n;
	if (help) {
		usage_print(stdout, *command);
		return 1;
	}
	if (!*command)
		return bad(e, "cmdpartctl", "the command is missing");
	return check(*command, letters, n, e);
}
