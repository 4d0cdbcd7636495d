// SPDX-License-Identifier: GPL-2.0
/*
 * The genetlink family has no commands, only a multicast group in the initial network
 * namespace. A lost event is no harm: whoever listens reads the truth by ioctl.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "event.h"
#include "trace.h"

static const struct genl_multicast_group groups[] = {
	{ .name = ULTRAVISOR_GENL_GROUP },
};

static struct genl_family family __ro_after_init = {
	.name = ULTRAVISOR_GENL_NAME,
	.version = ULTRAVISOR_GENL_VERSION,
	.maxattr = ULTRAVISOR_ATTR_MAX,
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
	.module = THIS_MODULE,
};

static int fill(struct sk_buff *skb, enum ultravisor_event event, u64 id, u32 slot, u64 epoch)
{
	void *header = genlmsg_put(skb, 0, 0, &family, 0, ULTRAVISOR_GENL_CMD_EVENT);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, ULTRAVISOR_ATTR_EVENT, event) ||
	    nla_put_u64_64bit(skb, ULTRAVISOR_ATTR_ID, id, ULTRAVISOR_ATTR_PAD) ||
	    nla_put_u32(skb, ULTRAVISOR_ATTR_SLOT, slot) ||
	    nla_put_u64_64bit(skb, ULTRAVISOR_ATTR_EPOCH, epoch, ULTRAVISOR_ATTR_PAD))
		return -EMSGSIZE;
	genlmsg_end(skb, header);
	return 0;
}

void uvr_event(enum ultravisor_event event, u64 id, u32 slot, u64 epoch)
{
	struct sk_buff *skb;

	trace_uvr_event(event, id, slot, epoch);
	if (!genl_has_listeners(&family, &init_net, 0))
		return;
	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!skb)
		return;
	if (fill(skb, event, id, slot, epoch)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast(&family, skb, 0, 0, GFP_KERNEL);
}

int __init uvr_event_init(void)
{
	return genl_register_family(&family);
}

void uvr_event_uninit(void)
{
	genl_unregister_family(&family);
}
