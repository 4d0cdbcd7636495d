/* SPDX-License-Identifier: Apache-2.0 */
/* uvd without its module, served to one client, and what the benchmarks of the book share. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include <common/log.h>
#include <common/uuid.h>
#include <ultravisor/handover.h>
#include <ultravisor/io.h>
#include <uvd/changes.h>
#include <uvd/command.h>
#include <uvd/launch.h>
#include <uvd/news.h>
#include <uvd/reconcile.h>
#include <uvd/uvd.h>

#include "book.h"

void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- the process that is uvd */

/* Objects are numbers; nothing is ever found again, and nothing runs. */
static int call(struct kernel *k, int fd, unsigned long command, void *argument)
{
	static uint64_t last;
	struct ultravisor_partition_create *p = argument;
	struct ultravisor_channel_create *c = argument;

	(void)k;
	(void)fd;
	switch (command) {
	case ULTRAVISOR_PARTITION_CREATE:
		p->out_id = ++last;
		p->out_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return p->out_fd < 0 ? -errno : 0;
	case ULTRAVISOR_CHANNEL_CREATE:
		c->out_id = ++last;
		c->out_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return c->out_fd < 0 ? -errno : 0;
	case ULTRAVISOR_OBJECT_OPEN:
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		((struct ultravisor_object_open *)argument)->out_fd = fd;
		return fd < 0 ? -errno : 0;
	case ULTRAVISOR_OBJECT_NEXT:
		return -ENOENT;
	}
	return 0;
}

static void on_start(struct uvd *uvd, struct launch *launch)
{
	(void)uvd;
	launch_destroy(launch);
}

static void on_partition(struct uvd *uvd, const uint8_t partition[16])
{
	(void)uvd;
	(void)partition;
}

static void on_channels(struct uvd *uvd)
{
	(void)uvd;
}

static bool on_live(struct uvd *uvd, const uint8_t partition[16], int32_t *pid, uint32_t *reboots)
{
	sqlite3_stmt *q = db_query(uvd->db, "SELECT kind FROM partition WHERE uuid = ?", "u",
				   partition);
	bool io = db_next(uvd->db, q) > 0 && db_int(q, 0) == PARTITION_IO;

	(void)reboots;
	db_done(q);
	/* The I/O partitions count as running, for plans. */
	if (io)
		*pid = getpid();
	return io;
}

static const struct uvd_hooks hooks = {
	.start = on_start, .stop = on_partition, .end = on_partition, .channels = on_channels,
	.live = on_live,
};

static int bridge_find(struct network *n, const char *name)
{
	(void)n;
	return strcmp(name, NETWORK_OWN_BRIDGE) == 0;
}

static int tap_create(struct network *n, const struct network_tap *t)
{
	(void)n;
	(void)t;
	return 0;
}

static int tap_delete(struct network *n, const char *name)
{
	(void)n;
	(void)name;
	return 0;
}

static int tap_guarded(struct network *n, const char *name)
{
	(void)n;
	(void)name;
	return 1;
}

static int zones_set(struct network *n, const struct network_member *m, size_t count)
{
	(void)n;
	(void)m;
	(void)count;
	return 0;
}

static int zones_intact(struct network *n)
{
	(void)n;
	return 1;
}

static int tap_obstacle(struct network *n, const char *name, const char *bridge,
			enum network_obstacle o)
{
	(void)n;
	(void)name;
	(void)bridge;
	(void)o;
	return 0;
}

static int next_tap(struct network *n, const char *prefix, const char *after,
		    char name[NETWORK_NAME])
{
	(void)n;
	(void)prefix;
	(void)after;
	*name = '\0';
	return 0;
}

static const struct network_ops no_network = {
	.bridge_find = bridge_find, .bridge_filters = bridge_find, .tap_create = tap_create,
	.tap_delete = tap_delete,
	.tap_guarded = tap_guarded,
	.zones_set = zones_set,
	.zones_intact = zones_intact,
	.tap_obstacle = tap_obstacle,
	.next = next_tap,
};

static int store(struct uvd *uvd, const struct inventory *shape)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	sqlite3_stmt *q;
	int rc = inv ? 0 : -ENOMEM;

	if (rc == 0 && shape)
		*inv = *shape;
	else if (rc == 0)
		rc = inventory_read(inv, "");
	if (rc == 0)
		rc = db_begin(uvd->db);
	if (rc == 0)
		rc = inventory_store(inv, uvd->db);
	if (rc == 0)
		rc = db_commit(uvd->db);
	free(inv);
	q = db_query(uvd->db, "SELECT uuid FROM partition WHERE kind = 5", "");
	if (db_next(uvd->db, q) > 0)
		db_uuid(q, 0, uvd->ultravisor);
	db_done(q);
	return rc;
}

/* As uvd's start does it, without what asks the module. */
static int serve(const char *directory, const struct inventory *shape, struct channel *server)
{
	struct kernel kernel = { .fd = -1, .call = call };
	struct network network = { .ops = &no_network };
	struct uvd uvd = { .kernel = &kernel, .network = &network, .hooks = &hooks,
			   .state = directory };
	struct command *command;
	sd_event *event;
	int64_t last;
	int rc;

	/* It has a line for each start. */
	if (!freopen("build/bench/uvd.log", "a", stderr))
		return 1;
	log_init("uvd", false);
	rc = db_open(&uvd.db, directory);
	if (rc == 0)
		rc = store(&uvd, shape);
	if (rc == 0)
		rc = db_value(uvd.db, &last, "SELECT \"transaction\" FROM clock", "");
	if (rc == 0)
		rc = changes_open(&uvd.changes, last);
	if (rc == 0)
		rc = reconcile_kernel(&uvd);
	if (rc == 0)
		rc = sd_event_default(&event);
	if (rc >= 0)
		rc = news_open(&uvd.news);
	if (rc == 0)
		rc = command_open(&command, &uvd, event, server);
	if (rc == 0)
		rc = sd_event_loop(event);
	fprintf(stderr, "uvd: %s\n", strerror(-rc));
	return 1;
}

pid_t book_serve(const char *directory, const struct inventory *shape, struct channel **client)
{
	static const struct channel_geometry geometry = {
		.type = CHANNEL_COMMAND,
		.layout_version = COMMAND_LAYOUT_VERSION,
		.client_size = COMMAND_CLIENT_SIZE,
		.server_size = COMMAND_SERVER_SIZE,
		.doorbells = COMMAND_DOORBELLS,
	};
	struct channel *server;
	pid_t pid;
	int rc = channel_open_pair(client, &server, &geometry);

	if (rc < 0)
		die("a channel: %s", strerror(-rc));
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		die("%s: %s", directory, strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		channel_close(*client);
		_exit(serve(directory, shape, server));
	}
	channel_close(server);
	return pid;
}

/* ---- its client */

void book_open(struct book *b, const char *directory, const struct inventory *shape)
{
	int rc;

	b->directory = directory;
	b->pid = book_serve(directory, shape, &b->client);
	rc = packet_open(&b->ring, b->client);
	if (rc < 0)
		die("the command channel: %s", strerror(-rc));
}

static int receive_endpoint(int s)
{
	struct handover_message m;
	struct iovec iov = { &m, sizeof(m) };
	char control[CMSG_SPACE(2 * sizeof(int))];
	int fd = -1;

	do {
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof(control) };
		struct cmsghdr *c;

		if (recvmsg(s, &h, MSG_CMSG_CLOEXEC) != sizeof(m))
			die("uvd closed the connection");
		c = CMSG_FIRSTHDR(&h);
		if (c)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	} while (m.what != HANDOVER_ENDPOINT && m.what != HANDOVER_COMPLETE);
	return fd;
}

void book_connect(struct book *b, const char *directory, const char *socket_path)
{
	struct handover_message m = { .version = HANDOVER_VERSION, .what = HANDOVER_HELLO };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct passwd *user = getpwnam(USER_COMMAND);
	const struct channel_geometry any = { 0 };
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), fd, rc;

	b->directory = directory;
	if (!user || chown(directory, user->pw_uid, user->pw_gid) < 0 || setgroups(0, NULL) < 0 ||
	    setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
		die("becoming %s: %s", USER_COMMAND, strerror(errno));
	strncpy(address.sun_path, socket_path, sizeof(address.sun_path) - 1);
	if (connect(s, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(s, &m, sizeof(m), 0) != sizeof(m))
		die("%s: %s", socket_path, strerror(errno));
	fd = receive_endpoint(s);
	rc = fd < 0 ? -ENOENT : channel_open(&b->client, fd, &any);
	if (rc == 0)
		rc = packet_open(&b->ring, b->client);
	if (rc < 0)
		die("the command channel: %s", strerror(-rc));
}

void book_close(struct book *b)
{
	packet_close(b->ring);
	channel_close(b->client);
	if (!b->pid)
		return;
	kill(b->pid, SIGKILL);
	waitpid(b->pid, NULL, 0);
}

const struct command_header *book_ask(struct book *b, const void *message)
{
	const struct command_header *h = message, *reply = (const void *)b->reply;
	ssize_t n = packet_send_wait(b->ring, message, h->length, 5000);

	if (n == 0)
		n = packet_receive_wait(b->ring, b->reply, sizeof(b->reply), 30000);
	if (n < 0)
		die("no answer: %s", strerror(-n));
	if (reply->status != COMMAND_OK)
		die("refused: %s; %s", reply->text, reply->fix);
	return reply;
}

struct command_header *book_begin(struct book_message *m, uint16_t kind)
{
	struct command_header *h = (struct command_header *)m->bytes;

	memset(h, 0, sizeof(*h));
	h->magic = COMMAND_MAGIC;
	h->version = COMMAND_VERSION;
	h->kind = kind;
	h->length = sizeof(*h);
	uuid_random(h->request_id);
	strcpy(h->who, "bench");
	return h;
}

void *book_add(struct book_message *m, uint16_t type)
{
	struct command_header *h = (struct command_header *)m->bytes;
	struct command_record *r = (struct command_record *)((uint8_t *)m->bytes + h->length);
	uint32_t size = command_record_size(type);

	if (h->length + size > sizeof(m->bytes))
		die("a message is full");
	memset(r, 0, size);
	r->type = type;
	r->length = size;
	h->length += size;
	h->count++;
	if (type == COMMAND_DEVICE_DEFINE)
		((struct command_device_define *)r)->settings.queues = 1;
	return r;
}

void book_uuid(uint8_t to[16], unsigned int i)
{
	memset(to, 0xb0, 16);
	/* As random ones, they come in no order. */
	for (unsigned int k = 0; k < 4; k++)
		to[k] = i * 2654435761u >> (8 * k);
	memcpy(to + 4, &i, sizeof(i));
}

void book_name(char to[COMMAND_NAME_LEN], unsigned int i)
{
	snprintf(to, COMMAND_NAME_LEN, "flat%05u", i);
}

void book_domain(struct book *b)
{
	static struct book_message m;
	const struct command_row_host *host;
	struct command_query *q;
	struct command_domain *d;

	book_begin(&m, COMMAND_QUERY);
	q = book_add(&m, COMMAND_QUERY_ROWS);
	q->row = COMMAND_ROW_HOST;
	host = (const void *)(book_ask(b, &m) + 1);
	book_begin(&m, COMMAND_TRANSACT);
	d = book_add(&m, COMMAND_DOMAIN_CREATE);
	strcpy(d->name, "default");
	d->memory = host->memory_pool & ~((uint64_t)COMMAND_HUGE_PAGE - 1);
	d->frame_ns = 10000000;
	memcpy(d->cpus, host->cpus, sizeof(d->cpus));
	book_ask(b, &m);
}

static void image_path(char to[COMMAND_PATH_LEN], const char *directory, unsigned int i)
{
	char *here = realpath(directory, NULL);

	snprintf(to, COMMAND_PATH_LEN, "%s/%05u.raw", here ? here : directory, i);
	free(here);
}

static void make_image(char path[COMMAND_PATH_LEN], const char *directory, unsigned int i)
{
	int fd;

	image_path(path, directory, i);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, 1 << 20) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

/* A guest with a disk, a network card and a console. */
static void add_partition(struct book_message *m, const struct book *b, unsigned int i)
{
	struct command_partition_define *p = book_add(m, COMMAND_PARTITION_DEFINE);
	struct command_device_define *d;

	book_uuid(p->partition, i);
	book_name(p->name, i);
	strcpy(p->domain, "default");
	p->vcpus = 1 + i % 4;
	p->mode = MODE_SHARED;
	if (b->mixed && i % 500 == 1) {
		p->mode = MODE_DEDICATED;
	} else if (b->mixed && i % 10 == 7) {
		p->mode = MODE_WINDOW;
		p->window_ns = 1000000;
	} else if (b->mixed && i % 5 == 4) {
		p->budget_ns = 25000000;
		p->period_ns = 100000000;
	}
	p->memory = 128ull << 20;
	strcpy(p->kernel, "/proc/self/exe");
	strcpy(p->cmdline, "console=ttyS0 root=/dev/vda1 ro quiet");
	d = book_add(m, COMMAND_DEVICE_DEFINE);
	book_uuid(d->partition, i);
	strcpy(d->name, "root");
	d->device = DEVICE_BLOCK;
	make_image(d->path, b->directory, i);
	d = book_add(m, COMMAND_DEVICE_DEFINE);
	book_uuid(d->partition, i);
	strcpy(d->name, "net0");
	d->device = DEVICE_NETWORK;
	strcpy(d->bridge, "uvbr0");
	memcpy(d->mac, "\x52\x54", 2);
	memcpy(d->mac + 2, &i, 4);
	d = book_add(m, COMMAND_DEVICE_DEFINE);
	book_uuid(d->partition, i);
	strcpy(d->name, "console");
	d->device = DEVICE_CONSOLE;
}

void book_fill(struct book *b, unsigned int first, unsigned int count)
{
	static struct book_message m;
	unsigned int last = first + count;

	while (first < last) {
		book_begin(&m, COMMAND_TRANSACT);
		for (unsigned int n = 0; n < 40 && first < last; n++)
			add_partition(&m, b, first++);
		book_ask(b, &m);
	}
}

/* ---- figures */

double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

uint64_t book_resident(const struct book *b)
{
	char path[64], line[128];
	uint64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)b->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib << 10;
}

uint64_t book_file(const struct book *b)
{
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/uvd.db", b->directory);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

void book_remove(const char *directory)
{
	static const char *const files[] = { "uvd.db", "uvd.db-wal", "uvd.db-shm", "uvd.lock" };
	char path[4096];
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	i = 0;
	do
		image_path(path, directory, i++);
	while (unlink(path) == 0);
	rmdir(directory);
}

void series_took(struct series *s, double since)
{
	if (!s->took)
		s->took = calloc(SERIES_MOST, sizeof(*s->took));
	if (!s->took)
		die("out of memory");
	if (s->n < SERIES_MOST)
		s->took[s->n++] = seconds() - since;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quantile(double *list, unsigned int n, double q)
{
	qsort(list, n, sizeof(*list), compare);
	return n ? list[(unsigned int)(q * (n - 1) + 0.5)] : 0;
}

double median(double *list, unsigned int n)
{
	return quantile(list, n, 0.5);
}
