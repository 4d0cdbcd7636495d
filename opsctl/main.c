/* SPDX-License-Identifier: Apache-2.0 */
/* opsctl: the operator's command of the data centre. One table makes its commands and its usage. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/output.h>
#include <common/uuid.h>

#include "opsctl.h"

static const struct command {
	const char *noun, *verb;	/* noun: "host", or NULL */
	const char *operand;		/* in brackets: may be left out; NULL: none */
	const char *help;
	opsctl_command *run;
} commands[] = {
	{ NULL, "activate", "FILE|NAME", "place a partition and start it", opsctl_activate },
	{ NULL, "deactivate", "NAME", "ask its guest to power off, and wait", opsctl_deactivate },
	{ NULL, "define", "FILE", "give opsd a definition, start nothing", opsctl_define },
	{ NULL, "undefine", "NAME", "forget a partition that is off", opsctl_undefine },
	{ NULL, "list", NULL, "partitions: desired and seen state, host", opsctl_list },
	{ NULL, "show", "NAME", "one partition, its definition and last events", opsctl_show },
	{ NULL, "events", "[NAME]", "what happened, of all partitions or one", opsctl_events },
	{ "host", "list", NULL, "hosts and their capacity", opsctl_host_list },
	{ "domain", "list", NULL, "domains of the hosts", opsctl_domain_list },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	char left[64];
	size_t i;

	fputs("usage: opsctl [OPTION]… COMMAND\n\n", to);
	for (i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		snprintf(left, sizeof(left), "%s%s%s%s%s", c->noun ? c->noun : "",
			 c->noun ? " " : "", c->verb, c->operand ? " " : "",
			 c->operand ? c->operand : "");
		fprintf(to, "  %-20s %s\n", left, c->help);
	}
	fputs("\n"
	      "  --json            print JSON\n"
	      "  -v, --verbose     activate, deactivate: every step, with times and request ids\n"
	      "  --timeout S       activate, deactivate: for the guest to run or to be off (60)\n"
	      "  --request-id ID   activate, deactivate: repeat one whose outcome is unknown\n"
	      "  --follow          events: go on with what happens\n"
	      "  --limit N         events: the newest N (100)\n"
	      "  --socket PATH     of opsd (/run/ultravisor/opsd.sock)\n"
	      "\n"
	      "Exit status: 0 ok, 1 failed, 2 bad command line or definition, 3 not found,\n"
	      "4 conflict, 5 not enough resources, 6 denied, 7 opsd unreachable, nothing was\n"
	      "done, 8 outcome unknown.\n"
	      "See opsctl(1).\n", to);
}

static int bad(const char *format, const char *what)
{
	fputs("opsctl: ", stderr);
	fprintf(stderr, format, what);
	fputs(" (opsctl --help lists commands and options)\n", stderr);
	return -1;
}

static int read_number(const char *option, const char *text, unsigned int max, unsigned int *to)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || text[0] < '0' || text[0] > '9' || !value || value > max) {
		fprintf(stderr, "opsctl: %s must be a number from 1 to %u, not \"%s\"\n", option,
			max, text);
		return -1;
	}
	*to = value;
	return 0;
}

static int parse_options(int argc, char **argv, struct opsctl *c)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "timeout", required_argument, NULL, 't' },
		{ "request-id", required_argument, NULL, 'r' },
		{ "follow", no_argument, NULL, 'f' },
		{ "limit", required_argument, NULL, 'l' },
		{ "socket", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint8_t uuid[UUID_LEN];
	int o;

	while ((o = getopt_long(argc, argv, "vh", known, NULL)) >= 0) {
		switch (o) {
		case 'j':
			c->json = true;
			break;
		case 'v':
			c->verbose = true;
			break;
		case 't':
			if (read_number("--timeout", optarg, 3600, &c->timeout_s))
				return -1;
			break;
		case 'r':
			if (uuid_read(uuid, optarg))
				return bad("--request-id %s is no UUID", optarg);
			c->request_id = optarg;
			break;
		case 'f':
			c->follow = true;
			break;
		case 'l':
			if (read_number("--limit", optarg, 1000, &c->limit))
				return -1;
			break;
		case 's':
			c->socket = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(EXIT_OK);
		default:
			return -1;
		}
	}
	return 0;
}

/* Whole words only: what ends a partition must not be run by a slip of the finger. */
static const struct command *find(int argc, char **argv, int *words)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];

		*words = c->noun ? 2 : 1;
		if (argc < *words || (c->noun && strcmp(argv[0], c->noun)))
			continue;
		if (!strcmp(argv[*words - 1], c->verb))
			return c;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct opsctl c = {
		.socket = "/run/ultravisor/opsd.sock", .timeout_s = OPSCTL_TIMEOUT_S,
		.patience_s = OPSCTL_PATIENCE_S, .limit = 100,
	};
	const struct command *command;
	struct error e = ERROR_NONE;
	enum exit_code code;
	int words, left;

	if (parse_options(argc, argv, &c))
		return EXIT_INVALID;
	argc -= optind;
	argv += optind;
	if (!argc) {
		usage(stderr);
		return EXIT_INVALID;
	}
	command = find(argc, argv, &words);
	if (!command) {
		bad("unknown command %s", argv[0]);
		return EXIT_INVALID;
	}
	left = argc - words;
	if (left > (command->operand ? 1 : 0)) {
		bad("unexpected operand %s", argv[argc - 1]);
		return EXIT_INVALID;
	}
	if (!left && command->operand && command->operand[0] != '[') {
		bad("which one? %s is missing", command->operand);
		return EXIT_INVALID;
	}
	code = command->run(&c, left ? argv[words] : NULL, &e);
	if (code != EXIT_OK)
		output_error("opsctl", &e, c.json);
	error_clear(&e);
	if (fflush(stdout) && code == EXIT_OK) {
		perror("opsctl: standard output");
		code = EXIT_FAILED;
	}
	return code;
}
