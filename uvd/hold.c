/* SPDX-License-Identifier: Apache-2.0 */
/* A list of held devices by the names that claims have for them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <common/log.h>
#include <ultravisor/command.h>

#include "block.h"
#include "hold.h"

struct hold {
	struct hold *next;
	char resource[BLOCK_RESOURCE];
	int fd;
	bool wanted;
};

static struct hold *find(struct uvd *uvd, const char *resource)
{
	struct hold *h;

	for (h = uvd->holds; h && strcmp(h->resource, resource); h = h->next)
		;
	return h;
}

bool hold_has(struct uvd *uvd, const char *resource)
{
	return find(uvd, resource);
}

static void hold(struct uvd *uvd, const char *path, const char *resource)
{
	struct hold *h = calloc(1, sizeof(*h));

	if (!h)
		return;
	h->fd = block_hold(path, resource);
	if (h->fd < 0) {
		log_errno(LOG_WARNING, h->fd, "%s is claimed, and cannot be kept from the host",
			  path);
		free(h);
		return;
	}
	memcpy(h->resource, resource, sizeof(h->resource));
	h->wanted = true;
	h->next = uvd->holds;
	uvd->holds = h;
}

void hold_sync(struct uvd *uvd)
{
	char path[COMMAND_PATH_LEN], resource[BLOCK_RESOURCE];
	struct hold **at, *h;
	sqlite3_stmt *q;

	for (h = uvd->holds; h; h = h->next)
		h->wanted = false;
	q = db_query(uvd->db, "SELECT d.path, k.resource FROM claim k JOIN device d"
		     " ON d.partition = k.partition AND d.name = k.name"
		     " WHERE k.resource LIKE 'block %'", "");
	while (db_next(uvd->db, q) > 0) {
		db_text(q, 0, path, sizeof(path));
		db_text(q, 1, resource, sizeof(resource));
		h = find(uvd, resource);
		if (h)
			h->wanted = true;
		else
			hold(uvd, path, resource);
	}
	for (at = &uvd->holds; (h = *at);) {
		if (h->wanted) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		close(h->fd);
		free(h);
	}
}

void hold_release(struct uvd *uvd)
{
	struct hold *h;

	while ((h = uvd->holds)) {
		uvd->holds = h->next;
		close(h->fd);
		free(h);
	}
}
