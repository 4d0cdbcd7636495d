/* SPDX-License-Identifier: GPL-2.0 */
/* What lives in the module, for whoever wonders why it cannot be unloaded. */
#ifndef _UVR_DEBUGFS_H
#define _UVR_DEBUGFS_H

void uvr_debugfs_init(void);
void uvr_debugfs_uninit(void);

#endif /* _UVR_DEBUGFS_H */
