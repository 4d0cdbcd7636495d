/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup FILE: a copy of uvd's book while it is in use, or when uvd is dead: no daemon has a part
 * in it, and who may read the book is the file system's matter. The copy is one moment's.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <common/output.h>

#include "cmdpartctl.h"

#define BOOK		"/var/lib/ultravisor/uvd.db"
#define BUSY_MS		10000

static int fault(struct error *e, sqlite3 *db, const char *path, const char *what)
{
	error_set(e, EXIT_FAILED, "%s: %s: %s", path, what, db ? sqlite3_errmsg(db) :
		  strerror(errno));
	return error_fix(e, "see that there is room, and that uvd's book is sound: uvd --check-db");
}

static int copy(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int r;

	if (!b)
		return -1;
	/* All in one step: between two, uvd's next commit would make it begin anew. */
	r = sqlite3_backup_step(b, -1);
	sqlite3_backup_finish(b);
	if (r != SQLITE_DONE)
		return -1;
	/* One file, without a WAL beside it. */
	r = sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	return r == SQLITE_OK ? 0 : -1;
}

/* A file that was there is replaced by a whole copy, or stays. */
static int write_copy(const char *path, struct error *e)
{
	sqlite3 *from = NULL, *to = NULL;
	char *part = NULL;
	int fd, rc = -1;

	if (asprintf(&part, "%s.XXXXXX", path) < 0)
		return error_set(e, EXIT_FAILED, "out of memory");
	/* 0600: the book tells kernels' command lines. */
	fd = mkstemp(part);
	if (fd < 0) {
		free(part);
		return fault(e, NULL, path, "cannot be made");
	}
	if (sqlite3_open_v2(BOOK, &from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		fault(e, from, BOOK, "cannot be read");
	} else if (sqlite3_open(part, &to) != SQLITE_OK) {
		fault(e, to, path, "cannot be written");
	} else {
		sqlite3_busy_timeout(from, BUSY_MS);
		if (copy(to, from) < 0)
			fault(e, to, path, "cannot be copied to");
		else
			rc = 0;
	}
	sqlite3_close(to);
	sqlite3_close(from);
	if (!rc && (fsync(fd) < 0 || rename(part, path) < 0))
		rc = fault(e, NULL, path, "cannot be put in place");
	if (rc < 0)
		unlink(part);
	close(fd);
	free(part);
	return rc;
}

int run_backup(const struct options *o, int argc, char **argv)
{
	struct error e = ERROR_NONE;
	struct stat st;
	json_t *done;

	(void)argc;
	if (access(BOOK, R_OK) < 0) {
		error_set(&e, errno == ENOENT ? EXIT_NOT_FOUND : EXIT_DENIED, "%s: %s", BOOK,
			  strerror(errno));
		error_fix(&e, "run it as root, on the host whose book it is");
		return give_up(o, &e);
	}
	if (write_copy(argv[0], &e) < 0)
		return give_up(o, &e);
	st.st_size = 0;
	stat(argv[0], &st);
	done = json_pack("{s:i, s:s, s:I}", "schema_version", 1, "file", argv[0], "bytes",
			 (json_int_t)st.st_size);
	if (o->json)
		output_json(stdout, done);
	else
		printf("%s: %lld bytes; uvd --restore %s puts it back\n", argv[0],
		       (long long)st.st_size, argv[0]);
	json_decref(done);
	return EXIT_OK;
}
