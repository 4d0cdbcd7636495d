/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The multicast group of nf_tables, as a source of the event loop. The kernel tells each thing that
 * a transaction changed, then which process it was of (NFT_MSG_NEWGEN).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <common/log.h>

#include "guard_watch.h"

#define BUFFER (1 << 20)
#define TABLE_ATTRIBUTE 1	/* the table's name, in each thing's own list of attributes */

_Static_assert(TABLE_ATTRIBUTE == (int)NFTA_TABLE_NAME &&
	       TABLE_ATTRIBUTE == (int)NFTA_CHAIN_TABLE &&
	       TABLE_ATTRIBUTE == (int)NFTA_RULE_TABLE, "the same in all of them");

struct guard_watch {
	struct nl_sock *socket;
	sd_event_source *source;
	guard_watch_fn *fn;
	void *data;
	bool touched;		/* by the transaction whose end was not told yet */
};

static void end_of_transaction(struct guard_watch *w, struct nlmsghdr *h)
{
	struct nlattr *a[NFTA_GEN_MAX + 1];
	char who[64] = "another process";
	bool touched = w->touched;
	uint32_t pid = 0;

	w->touched = false;
	if (!touched)
		return;
	if (nlmsg_parse(h, sizeof(struct nfgenmsg), a, NFTA_GEN_MAX, NULL) == 0 &&
	    a[NFTA_GEN_PROC_PID] && nla_len(a[NFTA_GEN_PROC_PID]) == sizeof(pid)) {
		pid = ntohl(nla_get_u32(a[NFTA_GEN_PROC_PID]));
		if (a[NFTA_GEN_PROC_NAME])
			snprintf(who, sizeof(who), "%.*s (process %u)",
				 nla_len(a[NFTA_GEN_PROC_NAME]),
				 (const char *)nla_data(a[NFTA_GEN_PROC_NAME]), pid);
	}
	if (pid != (uint32_t)getpid())
		w->fn(who, w->data);
}

static int on_message(struct nl_msg *message, void *data)
{
	struct nlmsghdr *h = nlmsg_hdr(message);
	struct guard_watch *w = data;
	struct nlattr *table;

	if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES)
		return NL_SKIP;
	if (NFNL_MSG_TYPE(h->nlmsg_type) == NFT_MSG_NEWGEN) {
		end_of_transaction(w, h);
		return NL_OK;
	}
	table = nlmsg_find_attr(h, sizeof(struct nfgenmsg), TABLE_ATTRIBUTE);
	if (table && nla_strcmp(table, "ultravisor") == 0)
		w->touched = true;
	return NL_OK;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct guard_watch *w = data;
	int rc = nl_recvmsgs_default(w->socket);

	(void)source;
	(void)fd;
	(void)revents;
	if (rc < 0 && rc != -NLE_AGAIN) {
		log_debug("nftables' events: %s", nl_geterror(rc));
		w->fn("a process that changed much", w->data);
	}
	return 0;
}

int guard_watch_open(struct guard_watch **out, sd_event *loop, guard_watch_fn *fn, void *data)
{
	struct guard_watch *w = calloc(1, sizeof(*w));
	int rc = -ENOMEM;

	if (!w)
		return -ENOMEM;
	w->fn = fn;
	w->data = data;
	w->socket = nl_socket_alloc();
	if (!w->socket)
		goto fail;
	rc = -EPROTONOSUPPORT;
	if (nl_connect(w->socket, NETLINK_NETFILTER) < 0 ||
	    nl_socket_add_membership(w->socket, NFNLGRP_NFTABLES) < 0)
		goto fail;
	/* Multicasts answer nothing that was asked. */
	nl_socket_disable_seq_check(w->socket);
	nl_socket_modify_cb(w->socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, w);
	nl_socket_set_buffer_size(w->socket, BUFFER, 0);
	rc = -EIO;
	if (nl_socket_set_nonblocking(w->socket) < 0)
		goto fail;
	rc = sd_event_add_io(loop, &w->source, nl_socket_get_fd(w->socket), EPOLLIN, on_readable,
			     w);
	if (rc < 0)
		goto fail;
	*out = w;
	return 0;
fail:
	guard_watch_close(w);
	return rc;
}

void guard_watch_close(struct guard_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->source);
	nl_socket_free(w->socket);
	free(w);
}
