/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command partition for tests of uvd alone: connects as cmdpartd would, sends one message, prints
 * the reply. Usage:
 *
 *   uvcommand [--plan] [--id TEXT] [--timeout S] OPERATION [+ OPERATION]…     one transaction
 *   uvcommand rows TYPE [PARTITION]                                           a query
 *   uvcommand raw FILE                                                        any bytes
 *   uvcommand flood N                                                       N queries, timed
 *   uvcommand say USER WHAT      as USER, a message of this kind to uvd.sock; what comes back
 *
 *   pool CPUS MEMORY                    domain NAME CPUS MEMORY          domain-destroy NAME
 *   define NAME DOMAIN VCPUS MEMORY KERNEL INITRD|- CMDLINE [dedicated]
 *   block NAME DEVICE PATH [ro]         network NAME DEVICE BRIDGE       console NAME DEVICE
 *   memory NAME SIZE NODE [huge]        cpu NAME INDEX CPUS [dedicated]
 *   claim NAME DEVICE                   channel NAME DEVICE SERVER,…
 *   start | stop | kill | pause | resume | undefine | release NAME
 *
 * A partition's UUID is its name, padded. Exit status: the reply's, or 100 + errno.
 */
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <common/cpuset.h>
#include <common/log.h>
#include <common/size.h>
#include <common/uuid.h>
#include <libchannel/packet.h>
#include <ultravisor/command.h>
#include <ultravisor/handover.h>

static struct packet_ring *ring;
static uint64_t message[COMMAND_MAX_LENGTH / 8], answer[COMMAND_MAX_LENGTH / 8];
static int timeout_ms = 20000;

static void die(const char *what, int rc)
{
	fprintf(stderr, "uvcommand: %s: %s\n", what, strerror(-rc));
	exit(100 + (-rc & 63));
}

static int receive_endpoint(int s, struct handover_message *m)
{
	struct iovec iov = { m, sizeof(*m) };
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd = -1;
	ssize_t n = recvmsg(s, &h, MSG_CMSG_CLOEXEC);

	if (n != sizeof(*m))
		die("uvd closed the connection", n < 0 ? -errno : -EPIPE);
	if (m->what == HANDOVER_REFUSED) {
		fprintf(stderr, "uvcommand: refused: %.128s\n", m->reason);
		exit(100 + EPERM);
	}
	c = CMSG_FIRSTHDR(&h);
	if (c)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static int connect_as(const char *name, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct passwd *user = getpwnam(name);
	int s, i;

	if (!user || setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid))
		die("becoming another user", -EPERM);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	for (i = 0;; i++) {
		s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		if (connect(s, (struct sockaddr *)&address, sizeof(address)) == 0)
			return s;
		if (i == 100)
			die(path, -errno);
		close(s);
		usleep(50000);
	}
}

/* Says what it is told, then, once all came, HELLO a second time. */
static int say(const char *path, const char *user, uint32_t what)
{
	struct handover_message m = { .version = HANDOVER_VERSION, .what = what };
	int s = connect_as(user, path), twice = 0;

	/* Some are turned away before they have said anything. */
	if (send(s, &m, sizeof(m), MSG_NOSIGNAL) != sizeof(m))
		printf("not sent\n");
	while (recv(s, &m, sizeof(m), 0) == sizeof(m)) {
		if (m.what == HANDOVER_REFUSED)
			printf("refused: %.128s\n", m.reason);
		else
			printf("message %u\n", m.what);
		if (m.what == HANDOVER_COMPLETE && !twice++) {
			m.what = HANDOVER_HELLO;
			if (send(s, &m, sizeof(m), 0) != sizeof(m))
				die("send", -errno);
		}
	}
	printf("closed\n");
	return 0;
}

static void open_ring(const char *path)
{
	struct handover_message m = { .version = HANDOVER_VERSION, .what = HANDOVER_HELLO };
	const struct channel_geometry any = { 0 };
	int s = connect_as(USER_COMMAND, path), fd, rc;
	struct channel *channel;

	if (send(s, &m, sizeof(m), 0) != sizeof(m))
		die("hello", -errno);
	do
		fd = receive_endpoint(s, &m);
	while (m.what != HANDOVER_ENDPOINT && m.what != HANDOVER_COMPLETE);
	if (fd < 0)
		die("no endpoint came", -ENOENT);
	rc = channel_open(&channel, fd, &any);
	if (rc == 0)
		rc = packet_open(&ring, channel);
	if (rc < 0)
		die("the command channel", rc);
}

/* Sends message, waits for the reply of its id. */
static struct command_header *ask(void)
{
	struct command_header *q = (struct command_header *)message;
	struct command_header *a = (struct command_header *)answer;
	ssize_t n;
	int rc = packet_send_wait(ring, message, q->length, timeout_ms);

	if (rc < 0)
		die("send", rc);
	do {
		n = packet_receive_wait(ring, answer, sizeof(answer), timeout_ms);
		if (n < 0)
			die("no reply", n);
	} while (memcmp(a->request_id, q->request_id, 16));
	return a;
}

static struct command_header *begin(uint16_t kind)
{
	struct command_header *h = (struct command_header *)message;

	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = kind;
	h->length = sizeof(*h);
	uuid_random(h->request_id);
	strcpy(h->who, "test");
	return h;
}

static void *add(uint16_t type)
{
	struct command_header *h = (struct command_header *)message;
	struct command_record *r = (struct command_record *)((char *)message + h->length);

	memset(r, 0, command_record_size(type));
	r->type = type;
	r->length = command_record_size(type);
	h->length += r->length;
	h->count++;
	if (type == COMMAND_DEVICE_DEFINE)
		((struct command_device_define *)r)->settings.queues = 1;
	return r;
}

static void name_uuid(uint8_t uuid[16], const char *name)
{
	memset(uuid, '.', 16);
	memcpy(uuid, name, strnlen(name, 16));
}

/* System partitions have UUIDs of their own: asked before the transaction is begun. */
static struct {
	char name[COMMAND_NAME_LEN];
	uint8_t uuid[16];
} servers[16];
static unsigned int n_servers;

static void learn_servers(void)
{
	struct command_query *q;
	struct command_header *a;
	const char *at;
	uint32_t i;

	begin(COMMAND_QUERY);
	q = add(COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_PARTITION;
	a = ask();
	at = (const char *)(a + 1);
	for (i = 0; i < a->count; i++, at += ((struct command_record *)at)->length) {
		const struct command_row_partition *r = (const void *)at;

		if (r->kind != PARTITION_IO || n_servers == 16)
			continue;
		memcpy(servers[n_servers].name, r->name, COMMAND_NAME_LEN);
		memcpy(servers[n_servers++].uuid, r->partition, 16);
	}
}

static uint64_t size(const char *text)
{
	uint64_t bytes;

	if (size_parse(text, &bytes) < 0)
		die(text, -EINVAL);
	return bytes;
}

static void cpus(uint64_t to[COMMAND_CPU_WORDS], const char *text)
{
	struct cpuset set;

	if (cpuset_parse(&set, text) < 0)
		die(text, -EINVAL);
	memcpy(to, set.word, sizeof(set.word));
}

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void add_define(int n, char **w)
{
	struct command_partition_define *d = add(COMMAND_PARTITION_DEFINE);

	name_uuid(d->partition, w[1]);
	strncpy(d->name, w[1], sizeof(d->name) - 1);
	strncpy(d->domain, w[2], sizeof(d->domain) - 1);
	d->vcpus = atoi(w[3]);
	d->memory = size(w[4]);
	strncpy(d->kernel, w[5], sizeof(d->kernel) - 1);
	if (!is(w[6], "-"))
		strncpy(d->initrd, w[6], sizeof(d->initrd) - 1);
	strncpy(d->cmdline, w[7], sizeof(d->cmdline) - 1);
	d->mode = n > 8 ? MODE_DEDICATED : MODE_SHARED;
}

static void add_device(int n, char **w)
{
	struct command_device_define *d = add(COMMAND_DEVICE_DEFINE);

	name_uuid(d->partition, w[1]);
	strncpy(d->name, w[2], sizeof(d->name) - 1);
	if (is(w[0], "block")) {
		d->device = DEVICE_BLOCK;
		strncpy(d->path, w[3], sizeof(d->path) - 1);
		d->flags = n > 4 ? DEVICE_READONLY : 0;
	} else if (is(w[0], "network")) {
		d->device = DEVICE_NETWORK;
		strncpy(d->bridge, w[3], sizeof(d->bridge) - 1);
		memcpy(d->mac, "\x52\x54", 2);
		memcpy(d->mac + 2, w[1] + strlen(w[1]) - 1, 1);
		memcpy(d->mac + 3, w[2], 2);
	} else {
		d->device = DEVICE_CONSOLE;
	}
}

static void add_channel(char **w)
{
	struct command_channel *c = add(COMMAND_CHANNEL_CREATE);
	struct command_channel_connect *k;
	uint8_t uuid[16];
	char *server;
	unsigned int i;

	uuid_random(uuid);
	memcpy(c->channel, uuid, 16);
	name_uuid(c->partition, w[1]);
	strncpy(c->name, w[2], sizeof(c->name) - 1);
	k = add(COMMAND_CHANNEL_CONNECT);
	memcpy(k->channel, uuid, 16);
	for (server = strtok(w[3], ","); server; server = strtok(NULL, ",")) {
		for (i = 0; i < n_servers && !is(servers[i].name, server); i++)
			;
		if (i == n_servers || k->servers == COMMAND_MAX_SERVERS)
			die(server, -ENOENT);
		memcpy(k->server[k->servers++], servers[i].uuid, 16);
	}
}

static void add_simple(const char *verb, const char *name)
{
	static const struct {
		const char *verb;
		uint16_t type;
	} verbs[] = {
		{ "start", COMMAND_PARTITION_START }, { "stop", COMMAND_PARTITION_STOP },
		{ "kill", COMMAND_PARTITION_KILL }, { "pause", COMMAND_PARTITION_PAUSE },
		{ "resume", COMMAND_PARTITION_RESUME },
		{ "undefine", COMMAND_PARTITION_UNDEFINE },
		{ "release", COMMAND_MEMORY_RELEASE },
	};
	struct command_partition *c;
	unsigned int i;

	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (is(verb, verbs[i].verb)) {
			c = add(verbs[i].type);
			name_uuid(c->partition, name);
			return;
		}
	die(verb, -EINVAL);
}

static void add_operation(int n, char **w)
{
	if (is(w[0], "pool") && n == 3) {
		struct command_host_pool *c = add(COMMAND_HOST_POOL);

		cpus(c->cpus, w[1]);
		c->memory = size(w[2]);
	} else if (is(w[0], "domain") && n == 4) {
		struct command_domain *c = add(COMMAND_DOMAIN_CREATE);

		strncpy(c->name, w[1], sizeof(c->name) - 1);
		cpus(c->cpus, w[2]);
		c->memory = size(w[3]);
	} else if (is(w[0], "domain-destroy") && n == 2) {
		struct command_domain *c = add(COMMAND_DOMAIN_DESTROY);

		strncpy(c->name, w[1], sizeof(c->name) - 1);
	} else if (is(w[0], "define") && n >= 8) {
		add_define(n, w);
	} else if ((is(w[0], "block") || is(w[0], "network") || is(w[0], "console")) && n >= 3) {
		add_device(n, w);
	} else if (is(w[0], "memory") && (n == 4 || (n == 5 && is(w[4], "huge")))) {
		struct command_memory_assign *c = add(COMMAND_MEMORY_ASSIGN);

		name_uuid(c->partition, w[1]);
		c->bytes = size(w[2]);
		c->node = atoi(w[3]);
		c->page_size = n == 5 ? COMMAND_HUGE_PAGE : 0;
	} else if (is(w[0], "cpu") && n >= 4) {
		struct command_processor_assign *c = add(COMMAND_PROCESSOR_ASSIGN);

		name_uuid(c->partition, w[1]);
		c->index = atoi(w[2]);
		cpus(c->cpus, w[3]);
		c->mode = n > 4 ? MODE_DEDICATED : MODE_SHARED;
	} else if (is(w[0], "claim") && n == 3) {
		struct command_device_op *c = add(COMMAND_DEVICE_CLAIM);

		name_uuid(c->partition, w[1]);
		strncpy(c->name, w[2], sizeof(c->name) - 1);
	} else if (is(w[0], "channel") && n == 4) {
		add_channel(w);
	} else if (n == 2) {
		add_simple(w[0], w[1]);
	} else {
		die(w[0], -EINVAL);
	}
}

static void print_row(const struct command_record *r)
{
	char text[UUID_TEXT], list[256];
	struct cpuset set;

	switch (r->type) {
	case COMMAND_ROW_HOST: {
		const struct command_row_host *h = (const void *)r;

		memcpy(set.word, h->cpus, sizeof(set.word));
		cpuset_format(&set, list, sizeof(list));
		printf("host name=%s memory=%llu pool=%llu assigned=%llu cpus=%s transactions=%llu "
		       "default=%u reason=\"%s\"\n", h->name, (unsigned long long)h->memory_total,
		       (unsigned long long)h->memory_pool, (unsigned long long)h->memory_assigned,
		       list, (unsigned long long)h->transactions, h->pool_is_default,
		       h->pool_reason);
		break;
	}
	case COMMAND_ROW_PROCESSOR: {
		const struct command_row_processor *p = (const void *)r;

		printf("processor cpu=%u node=%u core=%u pool=%u contexts=%u domain=%s owner=%s\n",
		       p->cpu, p->node, p->core, p->in_pool, p->contexts, p->domain,
		       p->owner_name);
		break;
	}
	case COMMAND_ROW_MEMORY: {
		const struct command_row_memory *m = (const void *)r;

		printf("memory node=%u total=%llu pool=%llu assigned=%llu\n", m->node,
		       (unsigned long long)m->total, (unsigned long long)m->pool,
		       (unsigned long long)m->assigned);
		break;
	}
	case COMMAND_ROW_DOMAIN: {
		const struct command_row_domain *d = (const void *)r;

		printf("domain name=%s memory=%llu assigned=%llu partitions=%u\n", d->name,
		       (unsigned long long)d->memory, (unsigned long long)d->memory_assigned,
		       d->partitions);
		break;
	}
	case COMMAND_ROW_PARTITION: {
		const struct command_row_partition *p = (const void *)r;

		printf("partition name=%s kind=%u state=%u generation=%llu pid=%d memory=%llu "
		       "module=%llu run_ns=%llu reboots=%u reason=\"%s\"\n", p->name, p->kind,
		       p->state, (unsigned long long)r->generation, p->pid,
		       (unsigned long long)p->memory_assigned, (unsigned long long)p->module_id,
		       (unsigned long long)p->run_ns, p->reboots, p->reason);
		break;
	}
	case COMMAND_ROW_DEVICE: {
		const struct command_row_device *d = (const void *)r;

		printf("device partition=%s name=%s type=%u claimed=%u tap=%s path=%s\n",
		       d->partition_name, d->name, d->device, d->claimed, d->tap, d->path);
		break;
	}
	case COMMAND_ROW_CHANNEL: {
		const struct command_row_channel *c = (const void *)r;

		printf("channel uuid=%s partition=%s name=%s type=%u module=%llu epoch=%llu "
		       "servers=%s,%s slots=%u,%u\n", uuid_format(c->channel, text),
		       c->partition_name, c->name, c->type, (unsigned long long)c->module_id,
		       (unsigned long long)c->epoch, c->server_name[0], c->server_name[1],
		       c->slot_state[0], c->slot_state[1]);
		break;
	}
	case COMMAND_ROW_CONTEXT: {
		const struct command_row_context *c = (const void *)r;

		printf("context partition=%s index=%u mode=%u run_ns=%llu\n", c->partition_name,
		       c->index, c->mode, (unsigned long long)c->run_ns);
		break;
	}
	case COMMAND_ROW_LEDGER: {
		const struct command_row_ledger *l = (const void *)r;

		printf("ledger transaction=%llu status=%u who=%s subject=%s summary=\"%s\" "
		       "reason=\"%s\" text=\"%s\"\n", (unsigned long long)l->transaction,
		       l->status, l->who, l->subject, l->summary, l->reason, l->text);
		break;
	}
	default:
		printf("row type=%u\n", r->type);
	}
}

static int print_answer(const struct command_header *a)
{
	const char *at = (const char *)(a + 1);
	uint32_t i;

	if (a->transaction || a->status)
		printf("reply status=%u transaction=%llu failed=%d text=\"%s\" fix=\"%s\"\n",
		       a->status, (unsigned long long)a->transaction, (int)a->failed, a->text,
		       a->fix);
	for (i = 0; i < a->count; i++, at += ((const struct command_record *)at)->length)
		print_row((const struct command_record *)at);
	return a->status;
}

static int rows(int argc, char **argv)
{
	static const char *const names[] = { "host", "processor", "memory", "domain", "partition",
					     "device", "channel", "context", "ledger" };
	struct command_query *q;
	unsigned int i;

	for (i = 0; i < 9 && !is(argv[0], names[i]); i++)
		;
	begin(COMMAND_QUERY);
	q = add(COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_HOST + i;
	if (argc > 1)
		strncpy(q->name, argv[1], sizeof(q->name) - 1);
	return print_answer(ask());
}

static int raw(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(message, 1, sizeof(message), f) : 0;
	ssize_t got;
	int rc;

	if (f)
		fclose(f);
	rc = packet_send_wait(ring, message, n, timeout_ms);
	if (rc < 0)
		die("send", rc);
	got = packet_receive_wait(ring, answer, sizeof(answer), timeout_ms);
	if (got < 0)
		die("no reply", got);
	return print_answer((struct command_header *)answer);
}

static int flood(int n)
{
	struct timespec a, b;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < n; i++) {
		struct command_query *q;

		begin(COMMAND_QUERY);
		q = add(COMMAND_QUERY_ROWS);
		q->row = COMMAND_ROW_HOST;
		ask();
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.1f us\n", ((b.tv_sec - a.tv_sec) * 1e9 + b.tv_nsec - a.tv_nsec) / 1e3 / n);
	return 0;
}

int main(int argc, char **argv)
{
	const char *path = getenv("UVD_SOCKET") ? getenv("UVD_SOCKET") : HANDOVER_PATH;
	const char *id = NULL;
	uint16_t kind = COMMAND_TRANSACT;
	struct command_header *h;
	int i, from;

	log_init("uvcommand", false);
	for (i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (is(argv[i], "--plan"))
			kind = COMMAND_PLAN;
		else if (is(argv[i], "--id") && i + 1 < argc)
			id = argv[++i];
		else if (is(argv[i], "--timeout") && i + 1 < argc)
			timeout_ms = atoi(argv[++i]) * 1000;
	}
	if (i == argc)
		die("nothing to do", -EINVAL);
	if (is(argv[i], "say") && i + 2 < argc)
		return say(path, argv[i + 1], atoi(argv[i + 2]));
	open_ring(path);
	if (is(argv[i], "rows") && i + 1 < argc)
		return rows(argc - i - 1, argv + i + 1);
	if (is(argv[i], "raw") && i + 1 < argc)
		return raw(argv[i + 1]);
	if (is(argv[i], "flood") && i + 1 < argc)
		return flood(atoi(argv[i + 1]));
	learn_servers();
	h = begin(kind);
	if (id) {
		memset(h->request_id, '-', 16);
		memcpy(h->request_id, id, strnlen(id, 16));
	}
	for (from = i; i <= argc; i++) {
		if (i < argc && !is(argv[i], "+"))
			continue;
		add_operation(i - from, argv + from);
		from = i + 1;
	}
	return print_answer(ask());
}
