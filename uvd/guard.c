/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules are given to libnftables as text: one text is one transaction of the kernel's. What the
 * kernel made of it is read back and kept, so that any change of it can be told later, by whichever
 * version of the library.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/addresses.h>
#include <common/log.h>

#include "guard.h"

#define TABLE "netdev ultravisor"
#define NAME_LEN NETWORK_NAME

/* A chain as it was read back. */
struct chain {
	struct chain *next;
	char tap[NAME_LEN];
	char *text;
};

struct guard {
	struct nft_ctx *nft;
	struct chain *chains;
	bool zones_put;			/* by this process */
	char *zones;			/* as they were read back; NULL: there is no table */
};

/* ---- libnftables */

/* Where the library finds no socket it ends the process: look before it does. */
static int reachable(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* 0 or -EIO; told: the library's words are logged. */
static int run(struct guard *g, const char *commands, bool tell)
{
	const char *why;

	if (nft_run_cmd_from_buffer(g->nft, commands) == 0)
		return 0;
	why = nft_ctx_get_error_buffer(g->nft);
	if (tell)
		log_error("nftables: %.*s", (int)strcspn(why, "\n"), why);
	return -EIO;
}

static const char *list(struct guard *g, const char *command)
{
	return run(g, command, false) < 0 ? NULL : nft_ctx_get_output_buffer(g->nft);
}

static const char *read_back(struct guard *g, const char *tap)
{
	char command[64];

	snprintf(command, sizeof(command), "list chain " TABLE " %s", tap);
	return list(g, command);
}

/* ---- what was read back */

static struct chain **find(struct guard *g, const char *tap)
{
	struct chain **at = &g->chains;

	while (*at && strcmp((*at)->tap, tap))
		at = &(*at)->next;
	return at;
}

static void forget(struct guard *g, const char *tap)
{
	struct chain **at = find(g, tap), *c = *at;

	if (!c)
		return;
	*at = c->next;
	free(c->text);
	free(c);
}

void guard_drop(struct guard *g, const char *tap)
{
	forget(g, tap);
	/* It may be gone already. */
	if (!g->chains)
		run(g, "delete table " TABLE, false);
}

static int keep(struct guard *g, const char *tap)
{
	const char *text = read_back(g, tap);
	struct chain *c;

	forget(g, tap);
	if (!text)
		return -EIO;
	c = calloc(1, sizeof(*c));
	if (c)
		c->text = strdup(text);
	if (!c || !c->text) {
		free(c);
		return -ENOMEM;
	}
	snprintf(c->tap, sizeof(c->tap), "%s", tap);
	c->next = g->chains;
	g->chains = c;
	return 0;
}

int guard_intact(struct guard *g, const char *tap)
{
	const struct chain *c = *find(g, tap);
	const char *text = c ? read_back(g, tap) : NULL;

	return text && !strcmp(text, c->text);
}

/* ---- the rules */

/* Behind what is in the list already. */
static void add(char *list, size_t size, const char *one)
{
	size_t n = strlen(list);

	snprintf(list + n, size - n, "%s%s", n ? ", " : "", one);
}

/* An IPv6 address, as such and as a number. */
static void add_six(char *six, char *targets, size_t size, const uint8_t bytes[16])
{
	char text[INET6_ADDRSTRLEN], number[2 + 32 + 1] = "0x";
	int i;

	inet_ntop(AF_INET6, bytes, text, sizeof(text));
	for (i = 0; i < 16; i++)
		snprintf(number + 2 + 2 * i, 3, "%02x", bytes[i]);
	if (strstr(targets, number))
		return;
	add(six, size, text);
	add(targets, size, number);
}

/*
 * Only these send: IPv4 and ARP with one of them, before it has one by DHCP and an ARP probe; IPv6
 * with one of them or the link's address that follows from the MAC (RFC 4291, appendix A). What a
 * neighbour advertisement claims is in its body (RFC 4861, 4.4): 8 bytes behind its beginning.
 */
static void write_addresses(FILE *to, const struct network_tap *t)
{
	const uint8_t *m = t->mac;
	char four[128] = "", six[256] = "", targets[256] = "";
	const char *at = t->addresses;
	struct address a;

	while (addresses_next(&at, &a) > 0) {
		if (a.family == AF_INET)
			add(four, sizeof(four), a.text);
		else
			add_six(six, targets, sizeof(six), a.bytes);
	}
	if (four[0]) {
		fprintf(to, "add rule " TABLE " %s arp saddr ip { 0.0.0.0, %s } accept\n", t->name,
			four);
		fprintf(to, "add rule " TABLE " %s ip saddr { %s } accept\n", t->name, four);
		fprintf(to, "add rule " TABLE " %s ip saddr 0.0.0.0 ip daddr 255.255.255.255"
			" udp sport 68 udp dport 67 accept\n", t->name);
	}
	if (six[0]) {
		const uint8_t local[16] = {
			0xfe, 0x80, [8] = m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5],
		};

		add_six(six, targets, sizeof(six), local);
		fprintf(to, "add rule " TABLE " %s icmpv6 type nd-neighbor-advert @th,64,128 != "
			"{ %s } drop\n", t->name, targets);
		fprintf(to, "add rule " TABLE " %s ip6 saddr { %s } accept\n", t->name, six);
		/* Duplicate address detection, and groups' reports while it goes on. */
		fprintf(to, "add rule " TABLE " %s ip6 saddr :: icmpv6 type { nd-neighbor-solicit,"
			" nd-router-solicit, mld2-listener-report } accept\n", t->name);
	}
	fprintf(to, "add rule " TABLE " %s drop\n", t->name);
}

static void write_rules(FILE *to, const struct network_tap *t)
{
	const uint8_t *m = t->mac;
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
		 m[5]);
	fprintf(to, "add table " TABLE "\n"
		"add chain " TABLE " %s { type filter hook ingress device \"%s\" priority -150;"
		" policy accept; }\n"
		"flush chain " TABLE " %s\n", t->name, t->name, t->name);
	fprintf(to, "add rule " TABLE " %s ether saddr != %s drop\n", t->name, mac);
	/* Spoken by bridges with each other: a spanning tree, and switches' other protocols. */
	fprintf(to, "add rule " TABLE " %s ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00"
		" drop\n", t->name);
	fprintf(to, "add rule " TABLE " %s arp saddr ether != %s drop\n", t->name, mac);
	if (t->addresses[0])
		write_addresses(to, t);
}

int guard_put(struct guard *g, const struct network_tap *t)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int rc;

	if (!to)
		return -ENOMEM;
	write_rules(to, t);
	if (fclose(to)) {
		free(text);
		return -ENOMEM;
	}
	rc = run(g, text, true);
	free(text);
	return rc < 0 ? rc : keep(g, t->name);
}

/* ---- the host's own */

const char *guard_forward(struct guard *g, const char *family)
{
	static const char *const chains[] = { "FORWARD", "DOCKER-USER" };
	static char rules[16384];
	char command[64];
	const char *text;
	size_t i, n = 0;

	rules[0] = '\0';
	for (i = 0; i < 2 && n < sizeof(rules); i++) {
		snprintf(command, sizeof(command), "list chain %s filter %s", family, chains[i]);
		text = list(g, command);
		if (text)
			n += snprintf(rules + n, sizeof(rules) - n, "%s", text);
	}
	return rules;
}

/* ---- between taps */

#define ZONES "bridge ultravisor"

static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	while (*list) {
		if (!strncmp(list, name, n) && (list[n] == ',' || !list[n]))
			return true;
		list += strcspn(list, ",");
		list += *list == ',';
	}
	return false;
}

static bool may_talk(const struct network_member *a, const struct network_member *b)
{
	return !strcmp(a->zone, b->zone) ||
	       (in_list(a->talks, b->zone) && in_list(b->talks, a->zone));
}

static bool alike(const struct network_member *a, const struct network_member *b)
{
	return !strcmp(a->zone, b->zone) && !strcmp(a->talks, b->talks);
}

/* The first that has the same rules. */
static size_t class_of(const struct network_member *m, size_t i)
{
	size_t c = 0;

	while (!alike(&m[c], &m[i]))
		c++;
	return c;
}

static void write_zones(FILE *to, const struct network_member *m, size_t count)
{
	const char *comma;
	size_t i, j;

	/* Deleting needs that it exists. */
	fprintf(to, "add table " ZONES "\ndelete table " ZONES "\n");
	if (!count)
		return;
	fprintf(to, "add table " ZONES "\n"
		"add map " ZONES " from { type ifname : verdict; }\n"
		"add chain " ZONES " forward"
		" { type filter hook forward priority 0; policy accept; }\n"
		"add rule " ZONES " forward iifname vmap @from\n");
	for (i = 0; i < count; i++) {
		if (class_of(m, i) == i) {
			fprintf(to, "add chain " ZONES " from%zu\n"
				"add set " ZONES " to%zu { type ifname; elements = { ", i, i);
			for (j = 0, comma = ""; j < count; j++) {
				if (!may_talk(&m[i], &m[j]))
					continue;
				fprintf(to, "%s\"%s\"", comma, m[j].tap);
				comma = ", ";
			}
			/* The host's own ports are no guest's. */
			fprintf(to, " }; }\nadd rule " ZONES " from%zu oifname @to%zu accept\n"
				"add rule " ZONES " from%zu oifname \"" NETWORK_TAP_PREFIX
				"*\" drop\n", i, i, i);
		}
		fprintf(to, "add element " ZONES " from { \"%s\" : jump from%zu }\n", m[i].tap,
			class_of(m, i));
	}
}

int guard_zones_put(struct guard *g, const struct network_member *m, size_t count)
{
	const char *back;
	char *text = NULL;
	size_t size;
	FILE *to;
	int rc;

	if (!count && g->zones_put && !g->zones)
		return 0;
	to = open_memstream(&text, &size);
	if (!to)
		return -ENOMEM;
	write_zones(to, m, count);
	rc = fclose(to) ? -ENOMEM : run(g, text, true);
	free(text);
	if (rc < 0)
		return rc;
	free(g->zones);
	g->zones = NULL;
	g->zones_put = true;
	if (!count)
		return 0;
	back = list(g, "list table " ZONES);
	g->zones = strdup(back ? back : "");
	return g->zones ? 0 : -ENOMEM;
}

int guard_zones_intact(struct guard *g)
{
	const char *text;

	if (!g->zones_put || !g->zones)
		return g->zones_put;
	text = list(g, "list table " ZONES);
	return text && !strcmp(text, g->zones);
}

/* ---- its life */

int guard_open(struct guard **out)
{
	int rc = reachable();
	struct guard *g;

	if (rc < 0)
		return rc;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!g->nft || nft_ctx_buffer_output(g->nft) || nft_ctx_buffer_error(g->nft)) {
		guard_close(g);
		return -ENOMEM;
	}
	*out = g;
	return 0;
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	while (g->chains)
		forget(g, g->chains->tap);
	free(g->zones);
	if (g->nft)
		nft_ctx_free(g->nft);
	free(g);
}
