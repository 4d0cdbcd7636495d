// SPDX-License-Identifier: Apache-2.0
/*
 * config: read what scripts/appliance wants from this boot.
 *
 * The writer is trusted (it owns this machine); mistakes are reported, not survived.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of NUL-ended strings as a NULL-ended list. Returns 0 or -errno. */
static int read_list(const char *dir, const char *name, char ***list)
{
	char path[256], *text;
	size_t have = 0, n = 0, count = 0, i;
	struct stat st;
	int fd, rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		rc = -errno;
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text) {
		rc = -ENOMEM;
		goto out;
	}
	while (have < (size_t)st.st_size) {
		ssize_t r = read(fd, text + have, (size_t)st.st_size - have);

		if (r < 0) {
			rc = -errno;
			goto out;
		}
		if (r == 0)
			break;
		have += (size_t)r;
	}
	text[have] = '\0';

	for (i = 0; i < have; i++)
		count += text[i] == '\0';
	*list = calloc(count + 1, sizeof(**list));
	if (!*list) {
		rc = -ENOMEM;
		goto out;
	}
	for (i = 0; n < count; i += strlen(text + i) + 1)
		(*list)[n++] = text + i;
	rc = 0;
out:
	close(fd);
	return rc;
}

static const char *value_of(char **list, const char *key)
{
	size_t len = strlen(key);

	for (; *list; list++)
		if (!strncmp(*list, key, len) && (*list)[len] == '=')
			return *list + len + 1;
	return "";
}

static unsigned int number_of(char **list, const char *key)
{
	return (unsigned int)strtoul(value_of(list, key), NULL, 10);
}

int config_read(struct config *config, const char *dir)
{
	char **list;
	int rc;

	rc = read_list(dir, "config", &list);
	if (rc)
		return rc;
	config->repo = value_of(list, "repo");
	config->cwd = value_of(list, "cwd");
	config->out = value_of(list, "out");
	config->kernel = value_of(list, "kernel");
	config->kernel_dir = value_of(list, "kernel_dir");
	config->daemons = number_of(list, "daemons");
	config->tty = number_of(list, "tty");
	config->input = number_of(list, "input");
	config->merge = number_of(list, "merge");
	config->systemd = number_of(list, "systemd");
	config->timeout_s = number_of(list, "timeout");
	config->rows = number_of(list, "rows");
	config->columns = number_of(list, "columns");
	rc = read_list(dir, "command", &config->command);
	if (rc)
		return rc;
	if (!config->command[0])
		return -EINVAL;
	return read_list(dir, "environ", &config->environ);
}
