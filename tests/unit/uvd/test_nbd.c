/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence of a disk that an NBD server serves: no connection is made while the server has one
 * open there, whatever has become of its client.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "uvd/block.h"
#include "uvd/nbd.h"

struct server {
	char directory[32], path[64];
	int listener;
};

static int start(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct server *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strcpy(s->directory, "/tmp/uvd-nbd-XXXXXX");
	assert_non_null(mkdtemp(s->directory));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->directory);
	strcpy(address.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	*state = s;
	return 0;
}

static int stop(void **state)
{
	struct server *s = *state;

	if (s->listener >= 0)
		close(s->listener);
	unlink(s->path);
	rmdir(s->directory);
	free(s);
	return 0;
}

static void test_a_connection_that_the_server_has_left_is_waited_for(void **state)
{
	struct server *s = *state;
	char why[128];
	int client, accepted;

	assert_int_equal(nbd_check(s->path, why, sizeof(why)), 0);
	client = nbd_connect(s->path);
	assert_true(client >= 0);
	/* Not even accepted yet. */
	assert_int_equal(nbd_connect(s->path), -EBUSY);
	accepted = accept(s->listener, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(nbd_connect(s->path), -EBUSY);
	close(client);
	assert_int_equal(nbd_check(s->path, why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "has a connection"));
	/* A server that only says that it is over may still be at work. */
	shutdown(accepted, SHUT_RDWR);
	assert_int_equal(nbd_connect(s->path), -EBUSY);
	close(accepted);
	client = nbd_connect(s->path);
	assert_true(client >= 0);
	close(client);
}

static void test_a_socket_without_a_server_is_refused(void **state)
{
	struct server *s = *state;
	char why[128], other[80];

	close(s->listener);
	s->listener = -1;
	assert_true(nbd_is_socket(s->path));
	assert_int_equal(nbd_connect(s->path), -ECONNREFUSED);
	assert_int_equal(block_check_free(s->path, false, why, sizeof(why)), -ECONNREFUSED);
	assert_non_null(strstr(why, "listens"));
	snprintf(other, sizeof(other), "%s.not", s->path);
	assert_int_equal(nbd_connect(other), -ENOENT);
	assert_false(nbd_is_socket(other));
}

static void test_a_disk_is_its_path_whoever_made_the_socket(void **state)
{
	char first[BLOCK_RESOURCE], again[BLOCK_RESOURCE], why[128], link[80];
	struct server *s = *state;
	uint64_t size = 1;

	assert_int_equal(block_identify(s->path, false, first, why, sizeof(why)), 0);
	assert_true(nbd_is_resource(first));
	snprintf(link, sizeof(link), "%s/link", s->directory);
	assert_int_equal(symlink(s->path, link), 0);
	assert_int_equal(block_identify(link, false, again, why, sizeof(why)), 0);
	assert_string_equal(first, again);
	assert_int_equal(nbd_check(link, why, sizeof(why)), 0);
	assert_int_equal(block_size(s->path, first, &size), 0);
	assert_int_equal(size, 0);
	unlink(link);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_connection_that_the_server_has_left_is_waited_for),
		TEST(test_a_socket_without_a_server_is_refused),
		TEST(test_a_disk_is_its_path_whoever_made_the_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
