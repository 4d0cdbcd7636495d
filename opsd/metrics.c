/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: what opsd knows of hosts and partitions; the hosts' own pages have the rest. */
#include <common/exposition.h>

#include "ops.h"
#include "report.h"

static void hosts(struct exposition *x, struct ops *ops)
{
	struct host *h;

	exposition_family(x, "ultravisor_ops_host_up", "gauge", "1: it answers.");
	TAILQ_FOREACH(h, &ops->hosts, link)
		exposition_sample(x, "", h->row.state == HOST_UP, "host", h->row.name, NULL);
	exposition_family(x, "ultravisor_ops_host_memory_bytes", "gauge",
			  "Memory that its partitions may use.");
	TAILQ_FOREACH(h, &ops->hosts, link)
		exposition_sample(x, "", h->row.memory, "host", h->row.name, NULL);
	exposition_family(x, "ultravisor_ops_host_memory_assigned_bytes", "gauge",
			  "Memory that its partitions have.");
	TAILQ_FOREACH(h, &ops->hosts, link)
		exposition_sample(x, "", h->row.memory_assigned, "host", h->row.name, NULL);
}

static void partitions(struct exposition *x, struct ops *ops)
{
	const struct host *h;
	struct partition *p;

	exposition_family(x, "ultravisor_ops_partition_desired", "gauge", "1: it shall run.");
	TAILQ_FOREACH(p, &ops->partitions, link)
		exposition_sample(x, "", p->row.active, "partition", p->row.name, NULL);
	exposition_family(x, "ultravisor_ops_partition_state", "gauge",
			  "1: the state that its host, which answers, says.");
	TAILQ_FOREACH(p, &ops->partitions, link) {
		h = host_find(&ops->hosts, p->row.host);
		if (p->row.seen[0] && h && h->row.state == HOST_UP)
			exposition_sample(x, "", 1, "partition", p->row.name, "host", p->row.host,
					  "state", p->row.seen, NULL);
	}
	exposition_family(x, "ultravisor_ops_partition_activating", "gauge",
			  "1: an activation or deactivation is under way.");
	TAILQ_FOREACH(p, &ops->partitions, link)
		exposition_sample(x, "", activation_of(ops, p->row.name) ? 1 : 0, "partition",
				  p->row.name, NULL);
}

char *report_metrics(struct ops *ops)
{
	struct exposition x;

	if (exposition_begin(&x) < 0)
		return NULL;
	hosts(&x, ops);
	partitions(&x, ops);
	return exposition_end(&x);
}
