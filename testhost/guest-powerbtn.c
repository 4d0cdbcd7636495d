// SPDX-License-Identifier: Apache-2.0
/*
 * guest-powerbtn: in a test guest, wait for the ACPI power button and say so by ending.
 *
 * Stands in for acpid or logind, which a guest with nothing but busybox lacks. The guest's init
 * starts it once `button` and `evdev` are loaded and powers off when it ends with status 0.
 */
#include <fcntl.h>
#include <glob.h>
#include <linux/input.h>
#include <poll.h>
#include <unistd.h>

enum { MAX_DEVICES = 16 };

int main(void)
{
	struct pollfd fds[MAX_DEVICES];
	nfds_t n = 0, i;
	glob_t found;

	if (glob("/dev/input/event*", 0, NULL, &found))
		return 1;
	for (i = 0; i < found.gl_pathc && n < MAX_DEVICES; i++) {
		fds[n].fd = open(found.gl_pathv[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		fds[n].events = POLLIN;
		if (fds[n].fd >= 0)
			n++;
	}
	globfree(&found);
	while (n && poll(fds, n, -1) > 0) {
		for (i = 0; i < n; i++) {
			struct input_event e;

			while (read(fds[i].fd, &e, sizeof(e)) == sizeof(e))
				if (e.type == EV_KEY && e.code == KEY_POWER && e.value == 1)
					return 0;
		}
	}
	return 1;
}
