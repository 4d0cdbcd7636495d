/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restart PID DAEMON PARTITION: kills PID, which is DAEMON as the test host's PID 1 names it, and
 * waits until PID 1 has started it again and heard that it is ready, and until cmdpartd lists
 * partitions and shows PARTITION's console. Prints two numbers of milliseconds: from the kill to
 * the last of these; and what this machine takes just now to start one program of the project.
 *
 * It asks as the programs do, but is itself running already: a program's own start, several times
 * slower than the answer, is no part of a daemon's restart.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS	60000
#define YARDSTICKS	5
#define SOCKET		"/run/ultravisor/cmdpartd.sock"

static const char upgrade[] = "Connection: Upgrade\r\nUpgrade: ultravisor-console\r\n";

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long start_program(void)
{
	long begin = now_ms();
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		execlp("cmdpartctl", "cmdpartctl", "--help", NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status) {
		fprintf(stderr, "restart: cmdpartctl --help does not run\n");
		exit(1);
	}
	return now_ms() - begin;
}

/* Whether the answer to a GET begins with this status line within a second. */
static bool answers(const char *path, const char *headers, const char *status)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	struct pollfd p = { .fd = socket(AF_UNIX, SOCK_STREAM, 0), .events = POLLIN };
	char text[1024];
	bool good = false;
	ssize_t n;

	n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
		     headers);
	if (connect(p.fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    send(p.fd, text, n, MSG_NOSIGNAL) == n && poll(&p, 1, 1000) == 1) {
		n = read(p.fd, text, sizeof(text) - 1);
		good = n > 0 && !strncmp(text, status, strlen(status));
	}
	close(p.fd);
	return good;
}

/* Whether the kernel's log, where PID 1 writes too, has got this text since the last look. */
static bool logged(int kmsg, const char *text)
{
	char record[8192];
	bool found = false;
	ssize_t n;

	/* One record each; EPIPE tells that some were overwritten meanwhile. */
	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		record[n > 0 ? n : 0] = '\0';
		found |= strstr(record, text) != NULL;
	}
	return found;
}

static int compare(const void *a, const void *b)
{
	return (*(const long *)a > *(const long *)b) - (*(const long *)a < *(const long *)b);
}

int main(int argc, char **argv)
{
	char ready[128], console[256];
	long yard[YARDSTICKS], begin, took;
	bool up = false, list = false, shown = false;
	int kmsg, i;

	if (argc != 4) {
		fprintf(stderr, "usage: restart PID DAEMON PARTITION\n");
		return 2;
	}
	snprintf(ready, sizeof(ready), "testhost: %s: ready", argv[2]);
	snprintf(console, sizeof(console), "/v1/partitions/%s/console?mode=log", argv[3]);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0) {
		perror("restart: /dev/kmsg");
		return 1;
	}
	for (i = 0; i < YARDSTICKS - 2; i++)
		yard[i] = start_program();
	begin = now_ms();
	if (kill(atoi(argv[1]), SIGKILL) < 0) {
		perror("restart: kill");
		return 1;
	}
	/* What answers before the new one is ready may be the old one's last words. */
	while (!up || !list || !shown) {
		if (now_ms() - begin > LIMIT_MS) {
			fprintf(stderr, "restart: after %d s: %s%s%s\n", LIMIT_MS / 1000,
				up ? "ready" : "not ready", list ? ", lists" : ", does not list",
				shown ? ", shows the console" : ", does not show the console");
			return 1;
		}
		up = up || logged(kmsg, ready);
		list = up && answers("/v1/partitions", "", "HTTP/1.1 200");
		shown = list && answers(console, upgrade, "HTTP/1.1 101");
		if (!shown)
			usleep(5000);
	}
	took = now_ms() - begin;
	for (; i < YARDSTICKS; i++)
		yard[i] = start_program();
	qsort(yard, YARDSTICKS, sizeof(*yard), compare);
	printf("%ld %ld\n", took, yard[YARDSTICKS / 2]);
	return 0;
}
