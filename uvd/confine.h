/* SPDX-License-Identifier: Apache-2.0 */
/* What uvd gives up after its start. */
#ifndef UVD_CONFINE_H
#define UVD_CONFINE_H

/* Keeps only the capabilities and system calls that uvd uses. 0 or -errno, logged. */
int confine(void);

#endif
