/* SPDX-License-Identifier: Apache-2.0 */
/* Routes to what uvd has recorded: the ledger, and the history of rows. */
#ifndef CMDPARTD_BOOK_H
#define CMDPARTD_BOOK_H

#include <common/http_server.h>

void book_ledger(struct http_request *http, void *data);
void book_history(struct http_request *http, void *data);
void book_events(struct http_request *http, void *data);
void book_verify(struct http_request *http, void *data);

#endif
