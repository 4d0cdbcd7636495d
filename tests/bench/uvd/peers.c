/* SPDX-License-Identifier: Apache-2.0 */
/* etcd and libvirt, as they come with Debian. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peers.h"

#define CLIENTS		16
#define KEYS		10000
#define START_S		20

static bool absent(const char *what, const char *why)
{
	printf("  %s is absent: %s\n", what, why);
	return false;
}

/* Its output goes to build/bench/NAME.log; user: 0, or who it becomes. */
static pid_t start(const char *name, char *const argv[], char *const env[], uid_t user)
{
	char path[64];
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(path, sizeof(path), "build/bench/%s.log", name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 ||
	    (user && (setgid(user) < 0 || setuid(user) < 0)))
		_exit(127);
	/* A change of user takes it back. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(argv[0], argv, env);
	_exit(127);
}

static void end(pid_t pid, const char *directory)
{
	char command[128];

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	if (system(command))
		fprintf(stderr, "%s is left\n", directory);
}

/* ---- etcd */

static struct {
	pid_t pid;
	char directory[40];
	uint16_t port;
	int fd[CLIENTS];
	double since[CLIENTS];
	char answer[CLIENTS][4096];
	size_t length[CLIENTS];
} etcd;

static uint16_t free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		die("no port: %s", strerror(errno));
	close(fd);
	return ntohs(a.sin_port);
}

static int reach(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(etcd.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static void put(unsigned int i)
{
	char value[268 + 1], request[1024], body[512];
	int n;

	/* 200 bytes in base64; the key is one of KEYS. */
	for (unsigned int k = 0; k < 268; k++)
		value[k] = 'A' + random() % 26;
	value[268] = '\0';
	n = snprintf(body, sizeof(body), "{\"key\":\"%06ldaa\",\"value\":\"%s\"}",
		     100000 + random() % KEYS, value);
	n = snprintf(request, sizeof(request), "POST /v3/kv/put HTTP/1.1\r\nHost: etcd\r\n"
		     "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
	etcd.length[i] = 0;
	etcd.since[i] = seconds();
	if (write(etcd.fd[i], request, n) != n)
		die("etcd: %s", strerror(errno));
}

/* True: the answer is whole. */
static bool take(unsigned int i)
{
	char *to = etcd.answer[i], *body, *length;
	ssize_t n = read(etcd.fd[i], to + etcd.length[i],
			 sizeof(etcd.answer[i]) - 1 - etcd.length[i]);

	if (n <= 0)
		die("etcd hung up");
	etcd.length[i] += n;
	to[etcd.length[i]] = '\0';
	body = strstr(to, "\r\n\r\n");
	length = strstr(to, "Content-Length: ");
	if (!body || !length || strlen(body + 4) < strtoul(length + 16, NULL, 10))
		return false;
	if (strncmp(to, "HTTP/1.1 200", 12))
		die("etcd: %s", to);
	return true;
}

void etcd_run(struct series *s, unsigned int clients, unsigned int round, double round_s)
{
	struct pollfd poll_fd[CLIENTS];
	unsigned int i, waiting = clients, done = 0;
	double begin = seconds();

	for (i = 0; i < clients; i++) {
		poll_fd[i] = (struct pollfd){ .fd = etcd.fd[i], .events = POLLIN };
		put(i);
	}
	while (waiting) {
		if (poll(poll_fd, clients, 10000) <= 0)
			die("etcd does not answer");
		for (i = 0; i < clients; i++) {
			if (!poll_fd[i].revents || !take(i))
				continue;
			series_took(s, etcd.since[i]);
			done++;
			if (seconds() - begin < round_s) {
				put(i);
				continue;
			}
			poll_fd[i].fd = -1;
			waiting--;
		}
	}
	s->rate[round] = done / (seconds() - begin);
}

bool etcd_open(void)
{
	char client[64], peer[64];
	char *argv[] = { "/usr/bin/etcd", "--data-dir", etcd.directory, "--listen-client-urls",
			 client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
			 "--initial-advertise-peer-urls", peer, "--initial-cluster", NULL, NULL };
	char *env[] = { NULL };
	char cluster[80];
	double begin = seconds();

	if (access(argv[0], X_OK) < 0)
		return absent("etcd", "scripts/deps --bench installs it");
	strcpy(etcd.directory, "build/bench/etcd.XXXXXX");
	if (!mkdtemp(etcd.directory))
		die("%s: %s", etcd.directory, strerror(errno));
	etcd.port = free_port();
	snprintf(client, sizeof(client), "http://127.0.0.1:%u", etcd.port);
	snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", free_port());
	snprintf(cluster, sizeof(cluster), "default=%s", peer);
	argv[12] = cluster;
	etcd.pid = start("etcd", argv, env, 0);
	while ((etcd.fd[0] = reach()) < 0) {
		if (seconds() - begin > START_S) {
			end(etcd.pid, etcd.directory);
			return absent("etcd", "it does not start, see build/bench/etcd.log");
		}
		usleep(50000);
	}
	for (unsigned int i = 1; i < CLIENTS; i++) {
		etcd.fd[i] = reach();
		if (etcd.fd[i] < 0)
			die("etcd: %s", strerror(errno));
	}
	/* Its first leader is elected. */
	sleep(2);
	return true;
}

void etcd_close(void)
{
	for (unsigned int i = 0; i < CLIENTS; i++)
		close(etcd.fd[i]);
	end(etcd.pid, etcd.directory);
}

/* ---- libvirt: a libvirtd of nobody's, with its QEMU driver; its library is loaded by name */

static struct {
	pid_t pid;
	char directory[40];
	void *library, *connection;
	void *(*open)(const char *uri);
	void *(*define)(void *connection, const char *xml);
	int (*undefine)(void *domain);
	int (*free)(void *domain);
	int (*close)(void *connection);
	void (*on_error)(void *data, void (*handler)(void *data, void *error));
} libvirt;

static const char xml[] =
	"<domain type='qemu'><name>flat</name><memory unit='MiB'>128</memory><vcpu>2</vcpu>"
	"<os><type arch='x86_64'>hvm</type><kernel>/boot/vmlinuz</kernel></os><devices>"
	"<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
	"<source file='/var/lib/flat.raw'/><target dev='vda' bus='virtio'/></disk>"
	"<interface type='user'><model type='virtio'/></interface>"
	"<console type='pty'/></devices></domain>";

static void no_message(void *data, void *error)
{
	(void)data;
	(void)error;
}

static bool load(void)
{
	libvirt.library = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!libvirt.library)
		return false;
	*(void **)&libvirt.open = dlsym(libvirt.library, "virConnectOpen");
	*(void **)&libvirt.define = dlsym(libvirt.library, "virDomainDefineXML");
	*(void **)&libvirt.undefine = dlsym(libvirt.library, "virDomainUndefine");
	*(void **)&libvirt.free = dlsym(libvirt.library, "virDomainFree");
	*(void **)&libvirt.close = dlsym(libvirt.library, "virConnectClose");
	*(void **)&libvirt.on_error = dlsym(libvirt.library, "virSetErrorFunc");
	return libvirt.open && libvirt.define && libvirt.undefine && libvirt.free &&
	       libvirt.close && libvirt.on_error;
}

bool libvirt_open(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	char here[300], runtime[400], config[400], cache[400], home[400], uri[512];
	char *argv[] = { "/usr/sbin/libvirtd", NULL };
	char *env[] = { runtime, config, cache, home, "PATH=/usr/bin:/usr/sbin:/bin", NULL };
	double begin = seconds();
	char *root;

	if (access(argv[0], X_OK) < 0 || !load())
		return absent("libvirt", "scripts/deps --bench installs it");
	if (geteuid() || !nobody)
		return absent("libvirt", "only root starts one of nobody's");
	strcpy(libvirt.directory, "/tmp/bench.libvirt.XXXXXX");
	if (!mkdtemp(libvirt.directory) ||
	    chown(libvirt.directory, nobody->pw_uid, nobody->pw_gid) < 0)
		die("%s: %s", libvirt.directory, strerror(errno));
	root = realpath(libvirt.directory, NULL);
	snprintf(here, sizeof(here), "%s", root ? root : libvirt.directory);
	free(root);
	snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", here);
	snprintf(config, sizeof(config), "XDG_CONFIG_HOME=%s", here);
	snprintf(cache, sizeof(cache), "XDG_CACHE_HOME=%s", here);
	snprintf(home, sizeof(home), "HOME=%s", here);
	snprintf(uri, sizeof(uri), "qemu+unix:///session?socket=%s/libvirt/libvirt-sock", here);
	libvirt.pid = start("libvirt", argv, env, nobody->pw_uid);
	libvirt.on_error(NULL, no_message);
	while (!(libvirt.connection = libvirt.open(uri))) {
		if (seconds() - begin > START_S) {
			end(libvirt.pid, libvirt.directory);
			return absent("libvirt", "it does not start, see build/bench/libvirt.log");
		}
		usleep(100000);
	}
	return true;
}

void libvirt_run(struct series *s, unsigned int round, double round_s)
{
	double begin = seconds(), since = begin;
	unsigned int done = 0;

	for (; since - begin < round_s; done++) {
		void *domain = libvirt.define(libvirt.connection, xml);

		if (!domain || libvirt.undefine(domain) < 0)
			die("libvirt refuses: see build/bench/libvirt.log");
		libvirt.free(domain);
		series_took(s, since);
		since = seconds();
	}
	s->rate[round] = done / (since - begin);
}

void libvirt_close(void)
{
	libvirt.close(libvirt.connection);
	end(libvirt.pid, libvirt.directory);
}
