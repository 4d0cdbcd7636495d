/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link to uvd: its socket, which hands over the command channel's endpoint, and the channel,
 * which carries the requests. Several are under way at a time; an answer is matched by its request
 * id. When uvd is gone the link comes back by itself, and what has no answer yet is sent again with
 * the same id: uvd answers a known id with its first answer.
 */
#ifndef CMDPARTD_UVDLINK_H
#define CMDPARTD_UVDLINK_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include <common/error.h>
#include <libchannel/channel.h>
#include <ultravisor/command.h>

#include "message.h"

struct uvdlink;

/*
 * The answer: code EXIT_OK and a checked reply, whatever status it has; EXIT_UNREACHABLE, when the
 * request never left; EXIT_UNKNOWN, when no answer came in time. reply is then NULL, and valid
 * during the call otherwise.
 */
typedef void uvdlink_done(enum exit_code code, const struct command_header *reply, void *data);

/* Called whenever uvd is there after it was not. */
typedef void uvdlink_ready(void *data);

/* path: uvd's socket; NULL: none, channels come by uvdlink_attach (tests). */
int uvdlink_open(struct uvdlink **out, sd_event *event, const char *path, uvdlink_ready *ready,
		 void *data);
void uvdlink_close(struct uvdlink *link);

/* Takes the channel, closing the one before; owns it. */
int uvdlink_attach(struct uvdlink *link, struct channel *channel);

/*
 * Sends m, which the link owns from then on; done is called once, from the event loop, never from
 * within this call. A message that failed to be built is an EXIT_FAILED.
 */
int uvdlink_send(struct uvdlink *link, struct message *m, uvdlink_done *done, void *data);

bool uvdlink_up(const struct uvdlink *link);
unsigned int uvdlink_pending(const struct uvdlink *link);

/* How long a request waits for its answer, ms. */
#define UVDLINK_TIMEOUT_MS 20000
void uvdlink_set_timeout(struct uvdlink *link, unsigned int ms);

#endif
