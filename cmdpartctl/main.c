/* SPDX-License-Identifier: Apache-2.0 */
/* cmdpartctl: the operator's command to a host's command partition. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>

#include <common/uuid.h>

#include "cmdpartctl.h"
#include "usage.h"

int main(int argc, char **argv)
{
	struct options o = { .socket = CMDPARTCTL_SOCKET };
	struct error e = ERROR_NONE;
	const struct command *command;
	uint8_t id[UUID_LEN];
	char **values;
	int n, rc;

	setlocale(LC_ALL, "");
	signal(SIGPIPE, SIG_IGN);
	rc = usage_parse(argc - 1, argv + 1, &o, &command, &n, &values, &e);
	if (rc < 0)
		return give_up(&o, &e);
	if (rc > 0)
		return EXIT_OK;
	uuid_random(id);
	if (o.request_id)
		snprintf(o.id, sizeof(o.id), "%s", o.request_id);
	else
		uuid_format(id, o.id);
	rc = command->run(&o, n, values);
	/* A result that could not be written was not given. */
	if (fflush(stdout) || ferror(stdout)) {
		if (!rc)
			perror("cmdpartctl: standard output");
		return rc ? rc : EXIT_FAILED;
	}
	return rc;
}
