/* SPDX-License-Identifier: Apache-2.0 */
/* uvd stays root, because /dev/ultravisor and the images are root's, with few capabilities. */
#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

#include <common/log.h>

#include "confine.h"

static const unsigned int kept[] = {
	CAP_DAC_OVERRIDE,	/* images and kernels of other users */
	CAP_NET_ADMIN,		/* bridges and taps */
	CAP_KILL,		/* monitors run as another user */
	CAP_SETUID,		/* uvmonitor, started as root, becomes that user … */
	CAP_SETGID,
	CAP_SETPCAP,		/* … and empties its bounding set */
};

int confine(void)
{
	unsigned int i;

	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				 kept[i]) < 0)
			return log_errno(LOG_ERR, -EINVAL, "capability %u", kept[i]);
	if (capng_apply(CAPNG_SELECT_BOTH) < 0)
		return log_errno(LOG_ERR, -EPERM, "capabilities cannot be given up");
	/* No program that we start gains what we do not have. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return log_errno(LOG_ERR, -errno, "no_new_privs");
	return 0;
}
