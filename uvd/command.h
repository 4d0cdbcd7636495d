/* SPDX-License-Identifier: Apache-2.0 */
/* The serving end of the command channel: the only way by which operations reach uvd. */
#ifndef UVD_COMMAND_H
#define UVD_COMMAND_H

#include <libchannel/channel.h>
#include <systemd/sd-event.h>

#include "uvd.h"

struct command;

/* Serves the channel, and owns it from then on. */
int command_open(struct command **out, struct uvd *uvd, sd_event *event, struct channel *channel);
void command_close(struct command *c);

/* Opens the module's command channel by the database's row. */
int command_open_channel(struct uvd *uvd, struct channel **out);

#endif
