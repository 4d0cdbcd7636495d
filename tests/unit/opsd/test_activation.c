/* SPDX-License-Identifier: Apache-2.0 */
/* Activation and deactivation, asked as opsctl asks, of hosts that do what hosts may do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

static void assert_word(struct world *w, const char *name, const char *key, const char *expected)
{
	char *word = world_word(w, name, key);

	assert_string_equal(word, expected);
	free(word);
}

static void assert_told(struct world *w, const char *id, const char *kind, const char *expected)
{
	char *events = world_events(w, id, kind);

	if (!strstr(events, expected))
		fail_msg("no \"%s\" event says \"%s\": %s", kind, expected, events);
	free(events);
}

static const char *at(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* Begins, waits, and compares the outcome: "done", or the code of the failure. */
static json_t *outcome(struct world *w, const char *verb, const char *name, json_t *definition,
		       const char *expected)
{
	char id[37];
	json_t *a;

	strcpy(id, world_begin(w, verb, name, definition));
	assert_string_not_equal(id, "");
	a = world_await(w, id);
	assert_non_null(a);
	if (!strcmp(at(a, "state"), "done"))
		assert_string_equal("done", expected);
	else
		assert_string_equal(at(json_object_get(a, "error"), "code"), expected);
	return a;
}

static void a_partition_is_activated_and_deactivated(void **state)
{
	struct world *w = *state;
	struct world_partition *p;
	json_t *a, *claim;

	world_start_ops(w);
	a = outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done");
	claim = json_array_get(json_object_get(a, "claims"), 0);
	assert_string_equal(at(claim, "state"), "done");
	assert_int_equal(json_integer_value(json_object_get(claim, "transaction")), 1);
	assert_told(w, at(a, "id"), "fits", "node1 fits");
	assert_told(w, at(a, "id"), "claimed", "claimed node1");
	assert_told(w, at(a, "id"), "started", "node1 committed transaction 1");
	assert_told(w, at(a, "id"), "running", "web1 is running on node1");
	json_decref(a);
	assert_word(w, "web1", "desired", "active");
	assert_word(w, "web1", "host", "node1");
	assert_word(w, "web1", "state", "running");
	p = world_partition(&w->host[0], "web1");
	assert_int_equal(p->memory, 128 << 20);

	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	assert_word(w, "web1", "desired", "inactive");
	assert_word(w, "web1", "state", "defined");
	assert_string_equal(p->state, "defined");
	world_stop_ops(w);
}

static void activating_what_runs_changes_nothing(void **state)
{
	struct world *w = *state;

	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	json_decref(outcome(w, "activation", "web1", NULL, "done"));
	assert_int_equal(w->host[0].asked, 1);
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	assert_int_equal(w->host[0].transactions, 2);
	world_stop_ops(w);
}

static void a_running_partition_keeps_its_definition(void **state)
{
	struct world *w = *state;
	json_t *object, *body;
	struct error e = ERROR_NONE;

	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	assert_string_equal(world_begin(w, "activation", "web1", world_definition("web1", "64MiB")),
			    "");
	body = json_pack("{s:o}", "definition", world_definition("web1", "64MiB"));
	assert_int_equal(world_call(w, "POST", "/v1/partitions", body, &object, &e), EXIT_CONFLICT);
	assert_int_equal(world_call(w, "DELETE", "/v1/partitions/web1", NULL, &object, &e),
			 EXIT_CONFLICT);
	error_clear(&e);
	/* Off, it can have another, and lose it. */
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "64MiB"), "done"));
	assert_int_equal(world_partition(&w->host[0], "web1")->memory, 64 << 20);
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	assert_int_equal(world_call(w, "DELETE", "/v1/partitions/web1", NULL, &object, &e),
			 EXIT_OK);
	json_decref(object);
	assert_null(world_partition(&w->host[0], "web1"));
	assert_word(w, "web1", "name", "unknown");
	world_stop_ops(w);
}

static void the_host_with_most_room_is_asked_first(void **state)
{
	struct world *w = *state;
	json_t *a;

	world_start_ops(w);
	json_decref(outcome(w, "activation", "big1", world_definition("big1", "4GiB"), "done"));
	json_decref(outcome(w, "activation", "big2", world_definition("big2", "2GiB"), "done"));
	assert_word(w, "big1", "host", "node1");
	assert_word(w, "big2", "host", "node2");
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "1GiB"), "done"));
	assert_word(w, "web1", "host", "node3");
	/* 7 GiB fit on the third host alone once it is empty again; others say why not. */
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	a = outcome(w, "activation", "big3", world_definition("big3", "7GiB"), "done");
	assert_word(w, "big3", "host", "node3");
	assert_told(w, at(a, "id"), "passed_over",
		    "node1 is passed over: 7 GiB of memory asked, 4 GiB of 8 GiB free");
	assert_told(w, at(a, "id"), "passed_over", "node2 is passed over");
	json_decref(a);
	world_stop_ops(w);
}

static void what_fits_nowhere_is_refused_with_each_hosts_reason(void **state)
{
	struct world *w = *state;
	const char *why;
	json_t *a;

	w->host[1].no_domain = true;
	world_kill_host(&w->host[2]);
	world_start_ops(w);
	a = outcome(w, "activation", "huge", world_definition("huge", "9GiB"), "resources");
	why = at(json_object_get(a, "error"), "why");
	assert_non_null(strstr(why, "node1: 9 GiB of memory asked"));
	assert_non_null(strstr(why, "node2: it has no domain default"));
	assert_non_null(strstr(why, "node3: its resource service does not answer"));
	assert_int_equal(json_array_size(json_object_get(a, "claims")), 0);
	assert_int_equal(json_array_size(json_object_get(json_object_get(
		json_object_get(a, "error"), "details"), "hosts")), 3);
	json_decref(a);
	/* A refused definition leaves nothing but the record of its activation. */
	assert_word(w, "huge", "name", "unknown");
	assert_int_equal(w->host[0].asked, 0);
	world_stop_ops(w);
}

static void a_refusing_host_is_passed_over_for_the_next(void **state)
{
	struct world *w = *state;
	json_t *a;

	w->host[0].refuse = EXIT_DENIED;
	w->host[1].refuse = EXIT_RESOURCES;
	world_start_ops(w);
	a = outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done");
	assert_int_equal(json_array_size(json_object_get(a, "claims")), 3);
	assert_told(w, at(a, "id"), "refused", "node1 refused: this host will not have it");
	json_decref(a);
	assert_word(w, "web1", "host", "node3");
	assert_int_equal(world_copies(w, "web1"), 1);
	world_stop_ops(w);
}

static void when_all_hosts_refuse_nothing_runs(void **state)
{
	struct world *w = *state;
	json_t *a;

	w->host[0].refuse = w->host[1].refuse = w->host[2].refuse = EXIT_RESOURCES;
	world_start_ops(w);
	a = outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "resources");
	assert_non_null(strstr(at(json_object_get(a, "error"), "why"),
			       "node3: this host will not"));
	json_decref(a);
	assert_int_equal(world_copies(w, "web1"), 0);
	assert_word(w, "web1", "name", "unknown");
	/* And the way is free for the next try. */
	w->host[1].refuse = 0;
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	assert_word(w, "web1", "host", "node2");
	world_stop_ops(w);
}

static void without_any_host_nothing_is_done(void **state)
{
	struct world *w = *state;

	world_kill_host(&w->host[0]);
	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"),
			    "unreachable"));
	world_stop_ops(w);
}

static void a_host_that_answers_nonsense_counts_as_down(void **state)
{
	struct world *w = *state;

	w->host[0].nonsense = true;
	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"),
			    "unreachable"));
	assert_int_equal(w->host[0].asked, 0);
	world_stop_ops(w);
}

/* The service commits, and dies before it answers: no other host may be asked meanwhile. */
static void a_lost_answer_is_asked_for_again(void **state)
{
	struct world *w = *state;
	char id[37];
	json_t *a;

	w->host[0].die_after = true;
	world_start_ops(w);
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	world_until(!w->host[0].die_after);
	usleep(700000);
	assert_int_equal(w->host[1].asked + w->host[2].asked, 0);
	world_kill_host(&w->host[0]);
	world_start_host(&w->host[0]);
	a = world_await(w, id);
	assert_non_null(a);
	assert_string_equal(at(a, "state"), "done");
	json_decref(a);
	assert_told(w, id, "waiting", "node1 has not answered");
	assert_int_equal(world_copies(w, "web1"), 1);
	assert_int_equal(world_partition(&w->host[0], "web1")->starts, 1);
	world_stop_ops(w);
}

/* An earlier try was not committed after all, and now the host refuses: the next one is free. */
static void a_refusal_after_doubt_frees_the_next_host(void **state)
{
	struct world *w = *state;
	char id[37];
	json_t *a;

	w->host[0].die_before = true;
	world_start_ops(w);
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	world_until(!w->host[0].die_before);
	w->host[0].refuse = EXIT_RESOURCES;
	world_kill_host(&w->host[0]);
	world_start_host(&w->host[0]);
	a = world_await(w, id);
	assert_non_null(a);
	assert_string_equal(at(a, "state"), "done");
	json_decref(a);
	assert_word(w, "web1", "host", "node2");
	assert_int_equal(world_copies(w, "web1"), 1);
	world_stop_ops(w);
}

/* While its host is away a partition may run there: no other host gets it. */
static void a_silent_host_keeps_its_partition(void **state)
{
	struct world *w = *state;
	json_t *a;

	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	world_kill_host(&w->host[0]);
	a = outcome(w, "activation", "web1", NULL, "conflict");
	assert_non_null(strstr(at(json_object_get(a, "error"), "why"),
			       "was placed on node1, which is silent: it may run there"));
	json_decref(a);
	json_decref(outcome(w, "deactivation", "web1", NULL, "unreachable"));
	assert_int_equal(world_copies(w, "web1"), 1);
	world_stop_ops(w);
}

static void a_guest_that_dies_at_once_is_a_failure_with_its_reason(void **state)
{
	struct world *w = *state;
	json_t *a;

	w->host[0].dies = true;
	world_start_ops(w);
	a = outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "failed");
	assert_string_equal(at(json_object_get(a, "error"), "message"),
			    "web1 was started on node1 and has failed");
	assert_string_equal(at(json_object_get(a, "error"), "why"), "triple fault");
	json_decref(a);
	w->host[0].dies = false;
	json_decref(outcome(w, "activation", "web1", NULL, "done"));
	world_stop_ops(w);
}

static void a_guest_that_ignores_the_power_button_is_not_killed(void **state)
{
	struct world *w = *state;
	json_t *a;

	w->host[0].stuck = true;
	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	a = outcome(w, "deactivation", "web1", NULL, "failed");
	assert_string_equal(at(json_object_get(a, "error"), "message"),
			    "web1 still is stopping after 5 s");
	json_decref(a);
	assert_int_equal(world_copies(w, "web1"), 1);
	/* It may answer later. */
	w->host[0].stuck = false;
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	world_stop_ops(w);
}

static void what_ends_by_itself_is_seen(void **state)
{
	struct world *w = *state;
	char *events;

	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	strcpy(world_partition(&w->host[0], "web1")->state, "defined");
	strcpy(world_partition(&w->host[0], "web1")->reason, "powered off");
	sleep(3);
	assert_word(w, "web1", "desired", "inactive");
	assert_word(w, "web1", "state", "defined");
	events = world_events(w, NULL, "ended");
	assert_non_null(strstr(events, "web1 is off on node1: it ended by itself: powered off"));
	free(events);
	world_stop_ops(w);
}

/* Hosts that are no longer named go, but one that may run something. */
static void a_host_that_runs_something_is_not_forgotten(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_NONE;
	json_t *reply;

	w->host[0].refuse = w->host[1].refuse = EXIT_DENIED;
	world_start_ops(w);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	assert_word(w, "web1", "host", "node3");
	world_stop_ops(w);
	w->hosts = 1;
	w->host[0].refuse = 0;
	world_start_ops(w);
	assert_int_equal(world_call(w, "GET", "/v1/hosts", NULL, &reply, &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "hosts")), 2);
	json_decref(reply);
	json_decref(outcome(w, "deactivation", "web1", NULL, "done"));
	json_decref(outcome(w, "activation", "web1", NULL, "done"));
	assert_word(w, "web1", "host", "node1");
	world_stop_ops(w);
	world_start_ops(w);
	assert_int_equal(world_call(w, "GET", "/v1/hosts", NULL, &reply, &e), EXIT_OK);
	assert_int_equal(json_array_size(json_object_get(reply, "hosts")), 1);
	json_decref(reply);
	world_stop_ops(w);
	w->hosts = WORLD_HOSTS;
}

static void a_second_request_joins_the_first_or_conflicts(void **state)
{
	struct world *w = *state;
	char id[37];

	w->host[0].delay_after_ms = 500;
	world_start_ops(w);
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	assert_string_equal(world_begin(w, "activation", "web1",
					world_definition("web1", "128MiB")), id);
	assert_string_equal(world_begin(w, "activation", "web1", world_definition("web1", "64MiB")),
			    "");
	json_decref(world_await(w, id));
	strcpy(id, world_begin(w, "deactivation", "web1", NULL));
	assert_string_equal(world_begin(w, "activation", "web1", NULL), "");
	json_decref(world_await(w, id));
	assert_int_equal(w->host[0].asked, 1);
	world_stop_ops(w);
}

static void a_repeated_request_id_gives_the_first_answer(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_NONE;
	json_t *object, *body;
	char id[37];

	world_start_ops(w);
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	json_decref(world_await(w, id));
	body = json_pack("{s:s, s:s}", "name", "web1", "request_id", id);
	assert_int_equal(world_call(w, "POST", "/v1/activations", json_incref(body), &object, &e),
			 EXIT_OK);
	assert_string_equal(at(json_object_get(object, "activation"), "state"), "done");
	json_decref(object);
	assert_int_equal(w->host[0].asked, 1);
	assert_int_equal(world_call(w, "POST", "/v1/deactivations", body, &object, &e),
			 EXIT_CONFLICT);
	error_clear(&e);
	world_stop_ops(w);
}

/* A store that cannot grow: what cannot be recorded is not begun, and reading goes on. */
static void a_full_store_changes_nothing(void **state)
{
	struct world *w = *state;
	struct rlimit none = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	json_t *a;

	world_start_ops(w);
	assert_int_equal(prlimit(w->ops, RLIMIT_FSIZE, &none, NULL), 0);
	a = outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "failed");
	assert_string_equal(at(json_object_get(a, "error"), "message"),
			    "opsd's store cannot be written; nothing was done");
	json_decref(a);
	assert_int_equal(w->host[0].asked, 0);
	assert_word(w, "web1", "name", "unknown");
	assert_int_equal(prlimit(w->ops, RLIMIT_FSIZE, &all, NULL), 0);
	json_decref(outcome(w, "activation", "web1", world_definition("web1", "128MiB"), "done"));
	world_stop_ops(w);
}

/* It fills up after the host was asked: the claim stays open until its end can be recorded. */
static void a_store_that_fills_up_loses_no_claim(void **state)
{
	struct world *w = *state;
	struct rlimit none = { 0, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
	char id[37];
	json_t *a;

	w->host[0].delay_before_ms = 300;
	world_start_ops(w);
	strcpy(id, world_begin(w, "activation", "web1", world_definition("web1", "128MiB")));
	world_until(w->host[0].asked == 1);
	assert_int_equal(prlimit(w->ops, RLIMIT_FSIZE, &none, NULL), 0);
	world_until(w->host[0].asked >= 2);
	assert_int_equal(prlimit(w->ops, RLIMIT_FSIZE, &all, NULL), 0);
	a = world_await(w, id);
	assert_non_null(a);
	assert_string_equal(at(a, "state"), "done");
	json_decref(a);
	assert_int_equal(world_partition(&w->host[0], "web1")->starts, 1);
	assert_word(w, "web1", "state", "running");
	world_stop_ops(w);
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define with_three(test) cmocka_unit_test_setup_teardown(test, world_setup_three, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_one(a_partition_is_activated_and_deactivated),
		with_one(activating_what_runs_changes_nothing),
		with_one(a_running_partition_keeps_its_definition),
		with_three(the_host_with_most_room_is_asked_first),
		with_three(what_fits_nowhere_is_refused_with_each_hosts_reason),
		with_three(a_refusing_host_is_passed_over_for_the_next),
		with_three(when_all_hosts_refuse_nothing_runs),
		with_one(without_any_host_nothing_is_done),
		with_one(a_host_that_answers_nonsense_counts_as_down),
		with_three(a_lost_answer_is_asked_for_again),
		with_three(a_refusal_after_doubt_frees_the_next_host),
		with_three(a_silent_host_keeps_its_partition),
		with_one(a_guest_that_dies_at_once_is_a_failure_with_its_reason),
		with_one(a_guest_that_ignores_the_power_button_is_not_killed),
		with_one(what_ends_by_itself_is_seen),
		with_three(a_host_that_runs_something_is_not_forgotten),
		with_one(a_second_request_joins_the_first_or_conflicts),
		with_one(a_repeated_request_id_gives_the_first_answer),
		with_one(a_full_store_changes_nothing),
		with_one(a_store_that_fills_up_loses_no_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
