/* SPDX-License-Identifier: GPL-2.0 */
/* The roles of the module's descriptors, as bits, so that a command can name several. */
#ifndef _UVR_ROLE_H
#define _UVR_ROLE_H

enum uvr_role {
	UVR_ROLE_DEVICE = 1 << 0,
	UVR_ROLE_PARTITION = 1 << 1,	/* CONTROL of a partition */
	UVR_ROLE_MONITOR = 1 << 2,
	UVR_ROLE_CONTEXT = 1 << 3,
	UVR_ROLE_CHANNEL = 1 << 4,	/* CONTROL of a channel */
	UVR_ROLE_CLIENT = 1 << 5,
	UVR_ROLE_SERVER = 1 << 6,
};

#define UVR_ROLE_ENDPOINT (UVR_ROLE_CLIENT | UVR_ROLE_SERVER)
#define UVR_ROLE_ANY ((1 << 7) - 1)

#endif /* _UVR_ROLE_H */
