/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host a partition may go to, by what the hosts last said of themselves: a filter, a score,
 * and for each host passed over the reason. It decides whom to ask first, nothing more: the host
 * has the last word. No input or output happens here.
 */
#ifndef OPSD_PLACEMENT_H
#define OPSD_PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <common/definition.h>

#include "host.h"
#include "store.h"

#define PLACEMENT_HERE_BEFORE	100	/* added to the score: its disks are there */

struct placement_verdict {
	const struct host *host;
	bool fits;
	unsigned int score;		/* percent of the domain's memory left, and the bonus */
	bool here_before;
	const char *rule;		/* that passed it over: "up", "elsewhere", "domain", … */
	enum exit_code code;		/* likewise */
	char reason[384];		/* for people, either way */
};

/*
 * Judges every host, the best first, then the unfit ones. where is the partition's row, or NULL if
 * it never was placed. Returns how many verdicts there are (at most OPS_MAX_HOSTS).
 */
size_t placement_rank(const struct hosts *hosts, const struct definition *d,
		      const char *uuid, const struct store_partition *where,
		      struct placement_verdict out[OPS_MAX_HOSTS]);

/* Whether a host's word for a state means that the partition holds resources there. */
bool placement_is_on(const char *state);

/* That state as the end of a sentence: "is running", "has failed", "is off". */
const char *placement_state_words(const char *state);

#endif
