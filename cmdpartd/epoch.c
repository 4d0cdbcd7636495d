/* SPDX-License-Identifier: Apache-2.0 */
/* One number in one small file, replaced as a whole. */
#include <inttypes.h>
#include <stdio.h>

#include <common/json_file.h>
#include <common/reader.h>

#include "epoch.h"

#define MAX_BYTES 4096

int epoch_open(struct epoch *epoch, const char *directory, struct error *e)
{
	static const char *const keys[] = { "epoch", NULL };
	const struct reader r = { epoch->path, NULL, e };
	json_t *json;
	int rc;

	epoch->highest = 0;
	snprintf(epoch->path, sizeof(epoch->path), "%s/epoch.json", directory);
	json = json_file_load(epoch->path, MAX_BYTES, e);
	if (!json && e->code == EXIT_NOT_FOUND) {
		error_clear(e);
		return 0;
	}
	if (!json)
		return -1;
	rc = reader_object(&r, "", json, keys);
	if (!rc)
		rc = reader_number(&r, "", json, "epoch", true, 1, INT64_MAX, &epoch->highest);
	json_decref(json);
	return rc < 0 ? -1 : 0;
}

int epoch_check(struct epoch *epoch, uint64_t shown, struct error *e)
{
	json_t *json;
	int rc;

	if (shown == epoch->highest)
		return 0;
	if (shown < epoch->highest) {
		error_set(e, EXIT_CONFLICT, "this opsd does not lead any more");
		if (shown)
			error_why(e, "it acts under epoch %" PRIu64 ", the host has seen %" PRIu64,
				  shown, epoch->highest);
		else
			error_why(e, "it names no epoch, the host has seen %" PRIu64,
				  epoch->highest);
		return error_fix(e, "ask the opsd that leads now");
	}
	json = json_pack("{s:I}", "epoch", (json_int_t)shown);
	rc = json_file_save(epoch->path, json, e);
	json_decref(json);
	if (rc < 0)
		return -1;
	epoch->highest = shown;
	return 0;
}
