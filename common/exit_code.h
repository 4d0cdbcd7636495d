/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of the project exits with. The same words are the codes of error objects. */
#ifndef COMMON_EXIT_CODE_H
#define COMMON_EXIT_CODE_H

enum exit_code {
	EXIT_OK = 0,		/* done, or it was so already */
	EXIT_FAILED = 1,	/* "failed": a call or process failed */
	EXIT_INVALID = 2,	/* "invalid": bad command line, definition or message */
	EXIT_NOT_FOUND = 3,	/* "not_found" */
	EXIT_CONFLICT = 4,	/* "conflict": state, owner or generation is not as assumed */
	EXIT_RESOURCES = 5,	/* "resources": not enough of something */
	EXIT_DENIED = 6,	/* "denied" */
	EXIT_UNREACHABLE = 7,	/* "unreachable": no answer from the daemon; nothing was done */
	EXIT_UNKNOWN = 8,	/* "unknown": outcome unknown; repeat with the same request id */
	EXIT_DIFFERENT = 9,	/* "different": verify found differences */
};

#define EXIT_CODES (EXIT_DIFFERENT + 1)

/* The word of a code ("ok" for 0), and back; -EINVAL for an unknown word. */
const char *exit_code_word(enum exit_code code);
int exit_code_parse(const char *word);

/* The HTTP status that carries a code, and the code of a status without an error object. */
unsigned int exit_code_http(enum exit_code code);
enum exit_code exit_code_of_http(unsigned int status);

#endif
