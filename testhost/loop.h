/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: PID 1 waits in one place. Children are reaped and daemons restarted here, whatever the
 * caller is waiting for.
 */
#ifndef TESTHOST_LOOP_H
#define TESTHOST_LOOP_H

void loop_init(void);

/* Handle what happens until something did, or until @deadline_ms (of clock_ms()). */
void loop_once(long deadline_ms);

#endif
