/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite writes each page of a commit to its log by two calls, a head and the page, one behind the
 * other. Here they are gathered, and written when something else is done to the file: at the
 * latest when it is synced, which is before SQLite lets anybody, itself included, see the commit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "gather.h"

#define ROOM 65536

struct gathered {
	sqlite3_file base;
	sqlite3_file *file;		/* SQLite's own, behind this */
	uint8_t *bytes;
	sqlite3_int64 at;		/* where they belong */
	int n;
};

static struct gathered *of(sqlite3_file *f)
{
	return (struct gathered *)f;
}

/* What cannot be written is of a commit that fails by that: SQLite will not ask for it again. */
static int flush(struct gathered *g)
{
	int r = g->n ? g->file->pMethods->xWrite(g->file, g->bytes, g->n, g->at) : SQLITE_OK;

	g->n = 0;
	return r;
}

static int gather_close(sqlite3_file *f)
{
	struct gathered *g = of(f);
	int r = flush(g), closed = g->file->pMethods->xClose(g->file);

	free(g->bytes);
	return r ? r : closed;
}

static int gather_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	int r = flush(of(f));

	return r ? r : of(f)->file->pMethods->xRead(of(f)->file, to, n, at);
}

static int gather_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	struct gathered *g = of(f);
	int r = SQLITE_OK;

	if (g->n && (at != g->at + g->n || n > ROOM - g->n))
		r = flush(g);
	if (r || n > ROOM)
		return r ? r : g->file->pMethods->xWrite(g->file, from, n, at);
	if (!g->n)
		g->at = at;
	memcpy(g->bytes + g->n, from, n);
	g->n += n;
	return SQLITE_OK;
}

static int gather_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int r = flush(of(f));

	return r ? r : of(f)->file->pMethods->xTruncate(of(f)->file, size);
}

static int gather_sync(sqlite3_file *f, int flags)
{
	int r = flush(of(f));

	return r ? r : of(f)->file->pMethods->xSync(of(f)->file, flags);
}

static int gather_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int r = flush(of(f));

	return r ? r : of(f)->file->pMethods->xFileSize(of(f)->file, size);
}

static int gather_lock(sqlite3_file *f, int level)
{
	return of(f)->file->pMethods->xLock(of(f)->file, level);
}

static int gather_unlock(sqlite3_file *f, int level)
{
	return of(f)->file->pMethods->xUnlock(of(f)->file, level);
}

static int gather_reserved(sqlite3_file *f, int *out)
{
	return of(f)->file->pMethods->xCheckReservedLock(of(f)->file, out);
}

static int gather_control(sqlite3_file *f, int op, void *argument)
{
	return of(f)->file->pMethods->xFileControl(of(f)->file, op, argument);
}

static int gather_sector(sqlite3_file *f)
{
	return of(f)->file->pMethods->xSectorSize(of(f)->file);
}

static int gather_traits(sqlite3_file *f)
{
	return of(f)->file->pMethods->xDeviceCharacteristics(of(f)->file);
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = gather_close,
	.xRead = gather_read,
	.xWrite = gather_write,
	.xTruncate = gather_truncate,
	.xSync = gather_sync,
	.xFileSize = gather_size,
	.xLock = gather_lock,
	.xUnlock = gather_unlock,
	.xCheckReservedLock = gather_reserved,
	.xFileControl = gather_control,
	.xSectorSize = gather_sector,
	.xDeviceCharacteristics = gather_traits,
};

static int gather_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	sqlite3_vfs *usual = vfs->pAppData;
	struct gathered *g = of(f);
	int r;

	if (!(flags & SQLITE_OPEN_WAL))
		return usual->xOpen(usual, name, f, flags, out);
	memset(g, 0, sizeof(*g));
	g->bytes = malloc(ROOM);
	if (!g->bytes)
		return SQLITE_NOMEM;
	g->file = (sqlite3_file *)(g + 1);
	g->file->pMethods = NULL;
	r = usual->xOpen(usual, name, g->file, flags, out);
	if (r == SQLITE_OK)
		g->base.pMethods = &methods;
	else
		free(g->bytes);
	return r;
}

const char *gather_vfs(void)
{
	static sqlite3_vfs gather;
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

	if (gather.zName)
		return gather.zName;
	gather = *usual;
	gather.zName = "gather";
	gather.szOsFile += sizeof(struct gathered);
	gather.pAppData = usual;
	gather.pNext = NULL;
	gather.xOpen = gather_open;
	if (sqlite3_vfs_register(&gather, 0) != SQLITE_OK)
		gather.zName = NULL;
	return gather.zName;
}
