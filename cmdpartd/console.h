/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consoles: bytes carried between an HTTP client and the I/O partition that serves the guest's
 * serial port. When that one is gone, the other is asked; each side waits for the other, neither
 * makes the daemon wait.
 */
#ifndef CMDPARTD_CONSOLE_H
#define CMDPARTD_CONSOLE_H

#include <common/http_server.h>

#define CONSOLE_SESSIONS	64	/* at a time, of the whole host */

http_handler console_get;

/* Ends all sessions; before the HTTP server is closed. */
void console_close_all(void);

#endif
