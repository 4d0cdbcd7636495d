/* SPDX-License-Identifier: Apache-2.0 */
/* Why a partition is as it is, or is refused: the rules' own judgement, and who asked. */
#ifndef CMDPARTD_WHY_H
#define CMDPARTD_WHY_H

#include <common/http_server.h>

void why_get(struct http_request *http, void *data);

#endif
