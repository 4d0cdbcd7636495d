/* SPDX-License-Identifier: Apache-2.0 */
/* The multicast group of the module's generic netlink family, as a source of the event loop. */
#include <errno.h>
#include <linux/ultravisor.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include <common/log.h>

#include "events.h"

#define BUFFER (1 << 20)

struct events {
	struct nl_sock *socket;
	sd_event_source *source;
	events_fn *fn;
	void *data;
};

static int on_message(struct nl_msg *message, void *data)
{
	static const struct nla_policy policy[ULTRAVISOR_ATTR_MAX + 1] = {
		[ULTRAVISOR_ATTR_EVENT] = { .type = NLA_U32 },
		[ULTRAVISOR_ATTR_ID] = { .type = NLA_U64 },
		[ULTRAVISOR_ATTR_SLOT] = { .type = NLA_U32 },
		[ULTRAVISOR_ATTR_EPOCH] = { .type = NLA_U64 },
	};
	struct nlattr *a[ULTRAVISOR_ATTR_MAX + 1];
	struct events *e = data;

	if (genlmsg_parse(nlmsg_hdr(message), 0, a, ULTRAVISOR_ATTR_MAX,
			  (struct nla_policy *)policy) < 0 || !a[ULTRAVISOR_ATTR_EVENT] ||
	    !a[ULTRAVISOR_ATTR_ID])
		return NL_SKIP;
	e->fn(nla_get_u32(a[ULTRAVISOR_ATTR_EVENT]), nla_get_u64(a[ULTRAVISOR_ATTR_ID]),
	      a[ULTRAVISOR_ATTR_SLOT] ? nla_get_u32(a[ULTRAVISOR_ATTR_SLOT]) : ULTRAVISOR_NO_SLOT,
	      a[ULTRAVISOR_ATTR_EPOCH] ? nla_get_u64(a[ULTRAVISOR_ATTR_EPOCH]) : 0, e->data);
	return NL_OK;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct events *e = data;
	int rc = nl_recvmsgs_default(e->socket);

	(void)source;
	(void)fd;
	(void)revents;
	if (rc < 0 && rc != -NLE_AGAIN) {
		log_debug("events: %s", nl_geterror(rc));
		e->fn(0, 0, 0, 0, e->data);
	}
	return 0;
}

int events_open(struct events **out, sd_event *loop, events_fn *fn, void *data)
{
	struct events *e = calloc(1, sizeof(*e));
	int group, rc = -ENOMEM;

	if (!e)
		return -ENOMEM;
	e->fn = fn;
	e->data = data;
	e->socket = nl_socket_alloc();
	if (!e->socket)
		goto fail;
	rc = -EIO;
	if (genl_connect(e->socket) < 0)
		goto fail;
	rc = -ENOENT;
	group = genl_ctrl_resolve_grp(e->socket, ULTRAVISOR_GENL_NAME, ULTRAVISOR_GENL_GROUP);
	if (group < 0)
		goto fail;
	rc = -EIO;
	/* Multicasts answer nothing that was asked. */
	nl_socket_disable_seq_check(e->socket);
	nl_socket_set_buffer_size(e->socket, BUFFER, 0);
	if (nl_socket_modify_cb(e->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, e) < 0 ||
	    nl_socket_add_membership(e->socket, group) < 0 ||
	    nl_socket_set_nonblocking(e->socket) < 0)
		goto fail;
	rc = sd_event_add_io(loop, &e->source, nl_socket_get_fd(e->socket), EPOLLIN, on_readable,
			     e);
	if (rc < 0)
		goto fail;
	*out = e;
	return 0;

fail:
	events_close(e);
	return rc;
}

void events_close(struct events *e)
{
	if (!e)
		return;
	e->source = sd_event_source_disable_unref(e->source);
	nl_socket_free(e->socket);
	free(e);
}
