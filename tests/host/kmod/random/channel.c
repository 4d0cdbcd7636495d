// SPDX-License-Identifier: Apache-2.0
/* Steps: channels change servers, ends attach, bind doorbells, ring and leave. */
#include <poll.h>

#include "random.h"

void use_channel(void)
{
	struct ultravisor_server_set set = ARGUMENT(ultravisor_server_set);
	struct ultravisor_channel_promote promote_arg = ARGUMENT(ultravisor_channel_promote);
	struct ultravisor_channel_revoke revoke = ARGUMENT(ultravisor_channel_revoke);
	uint32_t slot = one_in(40) ? draw() : below(2);

	switch (below(10)) {
	case 0:
		set.slot = slot;
		fill_uuid(set.uuid, 1 + below(3));
		call(pick(CHANNEL), ULTRAVISOR_SERVER_SET, &set);
		break;
	case 1:
		revoke.what = one_in(40) ? draw() : one_in(10) ? 1 : 2 + below(2);
		revoke.slot = revoke.what == ULTRAVISOR_REVOKE_SLOT ? slot : 0;
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_REVOKE, &revoke);
		break;
	default:
		promote_arg.slot = slot;
		promote_arg.reserved = one_in(200);
		call(pick(CHANNEL), ULTRAVISOR_CHANNEL_PROMOTE, &promote_arg);
	}
}

static void use_doorbell(int fd)
{
	struct ultravisor_doorbell_bind bind = ARGUMENT(ultravisor_doorbell_bind);
	struct ultravisor_doorbell_ring arg = ARGUMENT(ultravisor_doorbell_ring);

	bind.index = arg.index = one_in(30) ? draw() : below(3);
	if (below(2)) {
		call(fd, ULTRAVISOR_DOORBELL_RING, &arg);
		return;
	}
	bind.what = one_in(40) ? draw() : 1 + below(3);
	bind.fd = pick(EVENT);
	if (bind.what == ULTRAVISOR_DOORBELL_PORT && below(2))
		bind.fd = 1;	/* which a guest writes */
	if (one_in(6))
		bind.fd = -1;
	call(fd, ULTRAVISOR_DOORBELL_BIND, &bind);
}

void use_endpoint(void)
{
	struct ultravisor_attach arg = ARGUMENT(ultravisor_attach);
	int fd = pick(CLIENT + below(2));
	struct pollfd p = { .fd = fd, .events = POLLIN };

	switch (below(10)) {
	case 0:
		call(fd, ULTRAVISOR_DETACH, &arg);
		break;
	case 1:
		poll(&p, 1, 0);
		break;
	case 2 ... 5:
		call(fd, ULTRAVISOR_ATTACH, &arg);
		break;
	default:
		use_doorbell(fd);
	}
}
