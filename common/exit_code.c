/* SPDX-License-Identifier: Apache-2.0 */
/* One table ties exit codes, the words of error objects and HTTP statuses together. */
#include <errno.h>
#include <string.h>

#include <common/exit_code.h>

static const struct {
	const char *word;
	unsigned int http;
} codes[EXIT_CODES] = {
	[EXIT_OK] = { "ok", 200 },
	[EXIT_FAILED] = { "failed", 500 },
	[EXIT_INVALID] = { "invalid", 400 },
	[EXIT_NOT_FOUND] = { "not_found", 404 },
	[EXIT_CONFLICT] = { "conflict", 409 },
	[EXIT_RESOURCES] = { "resources", 507 },
	[EXIT_DENIED] = { "denied", 403 },
	[EXIT_UNREACHABLE] = { "unreachable", 503 },
	[EXIT_UNKNOWN] = { "unknown", 504 },
	[EXIT_DIFFERENT] = { "different", 412 },
};

const char *exit_code_word(enum exit_code code)
{
	return (unsigned int)code < EXIT_CODES ? codes[code].word : codes[EXIT_FAILED].word;
}

int exit_code_parse(const char *word)
{
	for (int i = 0; i < EXIT_CODES; i++)
		if (!strcmp(word, codes[i].word))
			return i;
	return -EINVAL;
}

unsigned int exit_code_http(enum exit_code code)
{
	return (unsigned int)code < EXIT_CODES ? codes[code].http : codes[EXIT_FAILED].http;
}

enum exit_code exit_code_of_http(unsigned int status)
{
	if (status >= 200 && status < 300)
		return EXIT_OK;
	for (int i = 1; i < EXIT_CODES; i++)
		if (codes[i].http == status)
			return i;
	return status >= 400 && status < 500 ? EXIT_INVALID : EXIT_FAILED;
}
