/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run loop: whoever calls CONTEXT_RUN is the context's runner until it returns, and asks here,
 * before each entry into the guest, whether it may run.
 */
#ifndef _UVR_RUNNER_H
#define _UVR_RUNNER_H

struct uvr_call;

long uvr_runner_run(struct uvr_call *call);

#endif /* _UVR_RUNNER_H */
