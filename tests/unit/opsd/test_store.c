/* SPDX-License-Identifier: Apache-2.0 */
/* The store: what is committed is there after a crash, whole; what is refused is not, at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <opsd/store.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static char directory[64];

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/opsd-store-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "ops.db", "ops.db-wal", "ops.db-shm" };
	char path[100];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

static struct store *open_store(void)
{
	struct error e = ERROR_NONE;
	struct store *s = store_sqlite_open(directory, &e);

	if (!s)
		fail_msg("%s: %s", e.message, e.why);
	return s;
}

static const struct store_host host = {
	.name = "node1", .socket = "/run/ultravisor/cmdpartd.sock", .state = HOST_UP,
	.uuid = "6f1c1b3e-0000-4000-8000-000000000001", .why = "", .cpus = 3, .memory = 8ull << 30,
	.memory_assigned = 1 << 20, .added_ns = 5, .seen_ns = 6,
};
static const struct store_domain domain = {
	.host = "node1", .name = "default", .cpus = "1-3", .cpus_free = 2, .memory = 4ull << 30,
	.memory_assigned = 7, .partitions = 1,
};
static const struct store_definition definition = {
	.name = "web1", .json = "{\"name\":\"web1\"}", .generation = 3, .changed_ns = 8,
};
static const struct store_partition partition = {
	.name = "web1", .active = true, .host = "node1", .domain = "default",
	.uuid = "6f1c1b3e-0000-4000-8000-000000000002", .seen = "running", .reason = "none",
	.seen_ns = 9,
};
static const struct store_activation activation = {
	.id = "6f1c1b3e-0000-4000-8000-000000000003", .verb = VERB_ACTIVATE, .partition = "web1",
	.uuid = "6f1c1b3e-0000-4000-8000-000000000002", .definition = "{}", .who = "root", .uid = 7,
	.timeout_s = 60, .state = ACTIVATION_OPEN, .opened_ns = 10,
};
static const struct store_claim claim = {
	.request_id = "6f1c1b3e-0000-4000-8000-000000000004", .partition = "web1", .host = "node1",
	.activation = "6f1c1b3e-0000-4000-8000-000000000003", .epoch = 12, .state = CLAIM_CLAIMED,
	.claimed_ns = 11,
};

static void put_all(struct store *s)
{
	const struct store_change changes[] = {
		{ STORE_PUT_HOST, { .host = &host } },
		{ STORE_PUT_DOMAIN, { .domain = &domain } },
		{ STORE_PUT_DEFINITION, { .definition = &definition } },
		{ STORE_PUT_PARTITION, { .partition = &partition } },
		{ STORE_PUT_ACTIVATION, { .activation = &activation } },
		{ STORE_PUT_CLAIM, { .claim = &claim } },
	};

	assert_int_equal(store_commit(s, changes, ARRAY_SIZE(changes)), 0);
}

/* What a load showed: copies of the last row of each kind, and how many there were. */
struct seen {
	struct store_host host;
	struct store_domain domain;
	struct store_definition definition;
	struct store_partition partition;
	struct store_activation activation;
	struct store_claim claim;
	char json[64], text[64];
	unsigned int hosts, domains, definitions, partitions, activations, claims, events;
	uint64_t first_event, last_event;
};

#define SEE(kind) \
static void on_##kind(const struct store_##kind *row, void *data) \
{ \
	struct seen *s = data; \
	s->kind = *row; \
	s->kind##s++; \
}
SEE(host)
SEE(domain)
SEE(partition)
SEE(activation)
SEE(claim)
#undef SEE

static void on_definition(const struct store_definition *row, void *data)
{
	struct seen *s = data;

	s->definition = *row;
	snprintf(s->json, sizeof(s->json), "%s", row->json);
	s->definitions++;
}

static void on_event(const struct store_event *row, void *data)
{
	struct seen *s = data;

	if (!s->events++)
		s->first_event = row->number;
	s->last_event = row->number;
	snprintf(s->text, sizeof(s->text), "%s", row->text);
}

static struct seen load(struct store *store)
{
	struct seen s = { 0 };
	struct store_visitor v = {
		.host = on_host, .domain = on_domain, .definition = on_definition,
		.partition = on_partition, .activation = on_activation, .claim = on_claim,
		.data = &s,
	};

	assert_int_equal(store_load(store, &v), 0);
	return s;
}

static void what_was_committed_is_read_back(void **state)
{
	struct store *store = open_store();
	struct seen s;

	(void)state;
	put_all(store);
	store_close(store);
	store = open_store();
	s = load(store);
	assert_string_equal(s.host.name, host.name);
	assert_string_equal(s.host.socket, host.socket);
	assert_string_equal(s.host.uuid, host.uuid);
	assert_int_equal(s.host.state, HOST_UP);
	assert_int_equal(s.host.cpus, 3);
	assert_int_equal(s.host.memory, 8ull << 30);
	assert_int_equal(s.host.memory_assigned, 1 << 20);
	assert_int_equal(s.host.added_ns, 5);
	assert_int_equal(s.host.seen_ns, 6);
	assert_string_equal(s.domain.cpus, "1-3");
	assert_int_equal(s.domain.cpus_free, 2);
	assert_int_equal(s.domain.memory, 4ull << 30);
	assert_int_equal(s.domain.memory_assigned, 7);
	assert_int_equal(s.domain.partitions, 1);
	assert_string_equal(s.json, definition.json);
	assert_int_equal(s.definition.generation, 3);
	assert_int_equal(s.definition.changed_ns, 8);
	assert_true(s.partition.active);
	assert_string_equal(s.partition.host, "node1");
	assert_string_equal(s.partition.domain, "default");
	assert_string_equal(s.partition.uuid, partition.uuid);
	assert_string_equal(s.partition.seen, "running");
	assert_string_equal(s.partition.reason, "none");
	assert_int_equal(s.partition.seen_ns, 9);
	assert_string_equal(s.activation.id, activation.id);
	assert_string_equal(s.activation.uuid, activation.uuid);
	assert_string_equal(s.activation.who, "root");
	assert_int_equal(s.activation.uid, 7);
	assert_int_equal(s.activation.timeout_s, 60);
	assert_int_equal(s.activation.opened_ns, 10);
	assert_string_equal(s.claim.request_id, claim.request_id);
	assert_int_equal(s.claim.epoch, 12);
	assert_int_equal(s.claim.state, CLAIM_CLAIMED);
	assert_int_equal(s.claim.claimed_ns, 11);
	store_close(store);
}

static void a_commit_happens_whole_or_not_at_all(void **state)
{
	struct store *store = open_store();
	struct store_claim second = claim;
	struct store_host other = host;
	struct store_event event = { .kind = "claimed", .partition = "web1", .host = "node2",
				     .activation = "", .text = "twice" };
	struct store_change changes[] = {
		{ STORE_PUT_HOST, { .host = &other } },
		{ STORE_ADD_EVENT, { .event = &event } },
		{ STORE_PUT_CLAIM, { .claim = &second } },
	};
	struct seen s;

	(void)state;
	put_all(store);
	/* A second claim for the same partition, on another host: two copies. */
	strcpy(other.name, "node2");
	strcpy(second.host, "node2");
	strcpy(second.request_id, "6f1c1b3e-0000-4000-8000-000000000005");
	assert_int_equal(store_commit(store, changes, ARRAY_SIZE(changes)), -EEXIST);
	s = load(store);
	assert_int_equal(s.hosts, 1);
	assert_int_equal(s.claims, 1);
	/* Once the first is settled, it may be. */
	second = claim;
	second.state = CLAIM_REFUSED;
	assert_int_equal(store_commit(store, &changes[2], 1), 0);
	strcpy(second.host, "node2");
	strcpy(second.request_id, "6f1c1b3e-0000-4000-8000-000000000005");
	second.state = CLAIM_CLAIMED;
	assert_int_equal(store_commit(store, changes, ARRAY_SIZE(changes)), 0);
	assert_int_equal(load(store).claims, 2);
	store_close(store);
}

static void one_open_activation_a_partition(void **state)
{
	struct store *store = open_store();
	struct store_activation second = activation;
	struct store_change change = { STORE_PUT_ACTIVATION, { .activation = &second } };

	(void)state;
	put_all(store);
	strcpy(second.id, "6f1c1b3e-0000-4000-8000-000000000006");
	assert_int_equal(store_commit(store, &change, 1), -EEXIST);
	store_close(store);
}

static void a_host_that_is_referred_to_stays(void **state)
{
	struct store *store = open_store();
	struct store_change change = { STORE_DELETE_HOST, { .key = "node1" } };
	struct store_host other = host;
	struct store_change put = { STORE_PUT_HOST, { .host = &other } };

	(void)state;
	put_all(store);
	assert_int_equal(store_commit(store, &change, 1), -EEXIST);
	assert_int_equal(load(store).hosts, 1);
	strcpy(other.name, "node9");
	assert_int_equal(store_commit(store, &put, 1), 0);
	change.key = "node9";
	assert_int_equal(store_commit(store, &change, 1), 0);
	assert_int_equal(load(store).hosts, 1);
	store_close(store);
}

static void a_removed_definition_takes_its_partition_along(void **state)
{
	struct store *store = open_store();
	struct store_change change = { STORE_DELETE_DEFINITION, { .key = "web1" } };
	struct seen s;

	(void)state;
	put_all(store);
	assert_int_equal(store_commit(store, &change, 1), 0);
	s = load(store);
	assert_int_equal(s.definitions, 0);
	assert_int_equal(s.partitions, 0);
	assert_int_equal(s.activations, 1);
	store_close(store);
}

static void the_epoch_rises_with_each_opsd(void **state)
{
	struct store *store;
	uint64_t epoch, before = 0;
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		store = open_store();
		assert_int_equal(store_epoch_raise(store, &epoch), 0);
		assert_true(epoch > before);
		before = epoch;
		store_close(store);
	}
}

static void a_second_opsd_is_refused(void **state)
{
	struct store *store = open_store();
	struct error e = ERROR_NONE;

	(void)state;
	assert_null(store_sqlite_open(directory, &e));
	assert_int_equal(e.code, EXIT_CONFLICT);
	assert_string_equal(e.message, "another opsd uses this store");
	store_close(store);
}

static void a_file_that_is_no_store_is_left_alone(void **state)
{
	static const char *const contents[] = { "not a database at all, but quite long enough", };
	struct error e = ERROR_NONE;
	char path[100], after[64] = "";
	struct stat st;
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/ops.db", directory);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	assert_int_equal(write(fd, contents[0], strlen(contents[0])), strlen(contents[0]));
	assert_null(store_sqlite_open(directory, &e));
	assert_string_not_equal(e.message, "");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, strlen(contents[0]));
	assert_int_equal(pread(fd, after, sizeof(after) - 1, 0), st.st_size);
	assert_string_equal(after, contents[0]);
	close(fd);
}

static void events_are_numbered_filtered_and_bounded(void **state)
{
	struct store *store = open_store();
	struct store_event event = { .kind = "seen", .partition = "web1", .host = "", .text = "x",
				     .activation = "" };
	struct store_change change = { STORE_ADD_EVENT, { .event = &event } };
	struct store_change many[500];
	struct store_event_filter filter = { .limit = 1000000 };
	struct seen s = { 0 };
	struct store_visitor v = { .event = on_event, .data = &s };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = change;
	for (i = 0; i < 24; i++)
		assert_int_equal(store_commit(store, many, ARRAY_SIZE(many)), 0);
	event.partition = "web2";
	event.text = "the last";
	assert_int_equal(store_commit(store, &change, 1), 0);
	assert_int_equal(store_events(store, &filter, &v), 0);
	/* 12,001 were told; old ones go, in lots. */
	assert_in_range(s.events, STORE_KEEP_EVENTS, STORE_KEEP_EVENTS + 500);
	assert_int_equal(s.last_event, 12001);
	s = (struct seen){ 0 };
	filter.partition = "web2";
	assert_int_equal(store_events(store, &filter, &v), 0);
	assert_int_equal(s.events, 1);
	assert_string_equal(s.text, "the last");
	s = (struct seen){ 0 };
	filter = (struct store_event_filter){ .limit = 3, .newest = true };
	assert_int_equal(store_events(store, &filter, &v), 0);
	assert_int_equal(s.first_event, 11999);
	assert_int_equal(s.last_event, 12001);
	s = (struct seen){ 0 };
	filter = (struct store_event_filter){ .limit = 3, .after = 11990 };
	assert_int_equal(store_events(store, &filter, &v), 0);
	assert_int_equal(s.first_event, 11991);
	assert_int_equal(s.events, 3);
	store_close(store);
}

/* A writer is killed at some moment, again and again: pairs of rows are there together. */
static void a_killed_writer_leaves_whole_commits(void **state)
{
	struct store *store;
	int round, status;
	pid_t pid;

	(void)state;
	store_close(open_store());
	for (round = 0; round < 20; round++) {
		struct seen s;

		fflush(NULL);
		pid = fork();
		if (!pid) {
			struct store_host h = host;
			struct store_definition d = definition;
			struct store_change pair[] = {
				{ STORE_PUT_HOST, { .host = &h } },
				{ STORE_PUT_DEFINITION, { .definition = &d } },
			};

			store = open_store();
			for (d.generation = 1;; d.generation++) {
				h.cpus = d.generation;
				store_commit(store, pair, 2);
			}
		}
		usleep(5000 + rand() % 20000);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		store = open_store();
		s = load(store);
		assert_int_equal(s.host.cpus, s.definition.generation);
		store_close(store);
	}
}

#define each(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(what_was_committed_is_read_back),
		each(a_commit_happens_whole_or_not_at_all),
		each(one_open_activation_a_partition),
		each(a_host_that_is_referred_to_stays),
		each(a_removed_definition_takes_its_partition_along),
		each(the_epoch_rises_with_each_opsd),
		each(a_second_opsd_is_refused),
		each(a_file_that_is_no_store_is_left_alone),
		each(events_are_numbered_filtered_and_bounded),
		each(a_killed_writer_leaves_whole_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
