/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: which words are understood, and what the others are answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../cmdpartctl/usage.h"

static struct options o;
static const struct command *command;
static struct error e;
static char **values;
static int count;

static int parse(const char *line)
{
	static char copy[512], *words[32];
	int n = 0;
	char *rest;

	memset(&o, 0, sizeof(o));
	error_clear(&e);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &rest); w && n < 32; w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	return usage_parse(n, words, &o, &command, &count, &values, &e);
}

static void options_may_stand_anywhere(void **state)
{
	(void)state;
	assert_int_equal(parse("--json start web1 --timeout 7 --reason=update"), 0);
	assert_string_equal(command->name, "start");
	assert_int_equal(count, 1);
	assert_string_equal(values[0], "web1");
	assert_true(o.json);
	assert_int_equal(o.timeout_s, 7);
	assert_string_equal(o.reason, "update");
	assert_int_equal(parse("define -"), 0);
	assert_string_equal(values[0], "-");
	assert_int_equal(parse("show -- --json"), 0);
	assert_string_equal(values[0], "--json");
	assert_false(o.json);
}

static const struct {
	const char *line, *where, *message, *fix;
} refused[] = {
	{ "", "cmdpartctl", "the command is missing", "--help" },
	{ "frobnicate", "frobnicate", "no such command", "--help" },
	{ "sotp web1", "sotp", "no such command", "did you mean \"stop\"?" },
	/* No prefix of a verb that ends something, ever. */
	{ "ki web1", "ki", "no such command", "" },
	{ "und web1", "und", "no such command", "" },
	{ "start", "start", "an argument is missing", "usage: cmdpartctl start NAME" },
	{ "start web1 web2", "start", "too many arguments", "" },
	{ "list web1", "list", "too many arguments", "" },
	{ "list --colour", "--colour", "no such option", "" },
	{ "list --jso", "--jso", "no such option", "" },
	{ "list --json=1", "--json", "takes no value", "" },
	{ "list --socket", "--socket", "its value is missing", "" },
	{ "list --timeout 5", "--timeout", "no option of the command list", "" },
	{ "kill --timeout 5 web1", "--timeout", "no option of the command kill", "" },
	{ "stop --timeout 0 web1", "--timeout", "\"0\" is not a number from 1", "" },
	{ "stop --timeout 5s web1", "--timeout", "\"5s\" is not a number", "" },
	{ "stop --timeout -5 web1", "--timeout", "\"-5\" is not a number", "" },
	{ "start --request-id 7 web1", "--request-id", "not a UUID", "" },
	{ "ledger --limit 1001", "--limit", "not a number from 1 to 1000", "" },
};

static void what_is_not_understood_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (parse(refused[i].line) != -1)
			fail_msg("\"%s\" is understood", refused[i].line);
		assert_int_equal(e.code, EXIT_INVALID);
		if (strcmp(e.where, refused[i].where) || !strstr(e.message, refused[i].message) ||
		    !strstr(e.fix, refused[i].fix))
			fail_msg("\"%s\": \"%s: %s; %s\"", refused[i].line, e.where, e.message,
				 e.fix);
	}
}

static char *usage(const struct command *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	usage_print(f, c);
	fclose(f);
	return text;
}

static void the_usage_names_every_command_and_its_options(void **state)
{
	char *all = usage(NULL), *one;

	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		char line[64];

		snprintf(line, sizeof(line), "\n  %s", c->name);
		assert_non_null(strstr(all, line));
		one = usage(c);
		assert_non_null(strstr(one, c->what));
		assert_non_null(strstr(one, "--json"));
		assert_int_equal(!!strstr(one, "--request-id"), !!strchr(c->options, 'r'));
		assert_int_equal(!!strstr(one, "--timeout"), !!strchr(c->options, 't'));
		free(one);
	}
	assert_non_null(strstr(all, "Exit codes: 0 done"));
	/* Nobody's terminal is asked to be wide. */
	for (char *line = all; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strcspn(line, "\n") > 80)
			fail_msg("a line of %zu", strcspn(line, "\n"));
		if (!*line)
			break;
	}
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(what_is_not_understood_is_named),
		cmocka_unit_test(the_usage_names_every_command_and_its_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
