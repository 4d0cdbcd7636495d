/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crash matrix: opsd is killed with SIGKILL at each step of an activation, and at the worst
 * moments between them; after its restart there is exactly one running copy or none, and opsd's
 * store says the same as the hosts' books.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "world.h"

static const char *at(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* Asks under an id of the test's own: opsd may die before it can name one. */
static void ask(struct world *w, const char *verb, const char *id, json_t *definition)
{
	json_t *body = json_pack("{s:s, s:s, s:i}", "name", "web1", "request_id", id, "timeout_s",
				 5), *reply;
	struct error e = ERROR_NONE;
	char path[32];

	if (definition)
		json_object_set_new(body, "definition", definition);
	snprintf(path, sizeof(path), "/v1/%ss", verb);
	world_call(w, "POST", path, body, &reply, &e);
	json_decref(reply);
	error_clear(&e);
}

#define FIRST	"11111111-0000-4000-8000-000000000001"
#define SECOND	"11111111-0000-4000-8000-000000000002"

/* Restarts opsd whole; whatever was open must come to its end. "": the store has nothing of it. */
static const char *restart_and_settle(struct world *w, const char *id)
{
	struct error e = ERROR_NONE;
	static char state[16];
	json_t *a, *reply;
	char path[80];

	w->kill_at = NULL;
	world_start_ops(w);
	snprintf(path, sizeof(path), "/v1/activations/%s", id);
	if (world_call(w, "GET", path, NULL, &reply, &e) != EXIT_OK) {
		error_clear(&e);
		return "";
	}
	json_decref(reply);
	a = world_await(w, id);
	assert_non_null(a);
	snprintf(state, sizeof(state), "%s", at(a, "state"));
	json_decref(a);
	return state;
}

static void assert_word(struct world *w, const char *key, const char *expected)
{
	char *word = world_word(w, "web1", key);

	assert_string_equal(word, expected);
	free(word);
}

static unsigned int starts(struct world *w)
{
	struct world_partition *p;
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < w->hosts; i++) {
		p = world_partition(&w->host[i], "web1");
		n += p ? p->starts : 0;
	}
	return n;
}

static void assert_one_copy(struct world *w)
{
	assert_int_equal(world_copies(w, "web1"), 1);
	assert_int_equal(starts(w), 1);
	assert_word(w, "desired", "active");
	assert_word(w, "state", "running");
}

static void die_activating(struct world *w, const char *step, unsigned int nth)
{
	w->kill_at = step;
	w->kill_nth = nth;
	world_start_ops(w);
	ask(w, "activation", FIRST, world_definition("web1", "128MiB"));
	world_await_death(w);
	/* Nobody was told of an outcome that is not durable: at most one copy, always. */
	assert_true(world_copies(w, "web1") <= 1);
}

static void finished_after(struct world *w, const char *step)
{
	die_activating(w, step, 1);
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_one_copy(w);
	world_stop_ops(w);
}

static void killed_before_the_claim_nothing_was_done(void **state)
{
	struct world *w = *state;

	die_activating(w, "surveyed", 1);
	assert_string_equal(restart_and_settle(w, FIRST), "");
	assert_int_equal(world_copies(w, "web1"), 0);
	assert_int_equal(w->host[0].asked, 0);
	/* The client repeats its request under the same id. */
	ask(w, "activation", FIRST, world_definition("web1", "128MiB"));
	json_decref(world_await(w, FIRST));
	assert_one_copy(w);
	world_stop_ops(w);
}

static void killed_after_the_claim_it_is_finished(void **state)
{
	finished_after(*state, "claimed");
}

static void killed_before_the_call_leaves_it_is_finished(void **state)
{
	finished_after(*state, "calling");
}

static void killed_after_the_answer_before_the_settling_it_is_finished(void **state)
{
	finished_after(*state, "answered");
}

static void killed_after_the_settling_it_is_finished(void **state)
{
	finished_after(*state, "settled");
}

static void killed_after_the_end_it_stays(void **state)
{
	finished_after(*state, "closed");
}

/* The host works on the request while opsd dies, and commits after opsd is back. */
static void killed_during_the_call_before_the_commit_it_is_finished(void **state)
{
	struct world *w = *state;

	w->host[0].delay_before_ms = 800;
	world_start_ops(w);
	ask(w, "activation", FIRST, world_definition("web1", "128MiB"));
	world_until(w->host[0].asked == 1);
	world_kill_ops(w);
	assert_int_equal(world_copies(w, "web1"), 0);
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_int_equal(w->host[0].transactions, 1);
	assert_one_copy(w);
	world_stop_ops(w);
}

static void killed_during_the_call_after_the_commit_it_is_finished(void **state)
{
	struct world *w = *state;

	w->host[0].delay_after_ms = 800;
	world_start_ops(w);
	ask(w, "activation", FIRST, world_definition("web1", "128MiB"));
	world_until(w->host[0].transactions == 1);
	world_kill_ops(w);
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_int_equal(w->host[0].transactions, 1);
	assert_one_copy(w);
	world_stop_ops(w);
}

/* After the restart the host says no: undone, nothing runs, nothing is left to do. */
static void a_claim_that_the_host_then_refuses_is_undone(void **state)
{
	struct world *w = *state;

	die_activating(w, "claimed", 1);
	w->host[0].refuse = EXIT_RESOURCES;
	assert_string_equal(restart_and_settle(w, FIRST), "failed");
	assert_int_equal(world_copies(w, "web1"), 0);
	assert_word(w, "name", "unknown");
	world_stop_ops(w);
}

/* The host of the claim is away at the restart: nobody else may be asked until it has spoken. */
static void a_claim_binds_to_its_host(void **state)
{
	struct world *w = *state;
	json_t *a;

	die_activating(w, "claimed", 1);
	world_kill_host(&w->host[0]);
	w->kill_at = NULL;
	world_start_ops(w);
	sleep(2);
	assert_int_equal(w->host[1].asked + w->host[2].asked, 0);
	world_start_host(&w->host[0]);
	a = world_await(w, FIRST);
	assert_non_null(a);
	assert_string_equal(at(a, "state"), "done");
	json_decref(a);
	assert_word(w, "host", "node1");
	assert_one_copy(w);
	world_stop_ops(w);
}

/* Killed again and again at the same step, it still comes to its end. */
static void killed_many_times_it_is_finished(void **state)
{
	struct world *w = *state;
	int i;

	die_activating(w, "claimed", 1);
	for (i = 0; i < 5; i++) {
		w->kill_at = i % 2 ? "answered" : "calling";
		w->kill_nth = 1;
		world_start_ops(w);
		world_await_death(w);
		assert_true(world_copies(w, "web1") <= 1);
	}
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_one_copy(w);
	world_stop_ops(w);
}

/* Killed between the refusal of one host and the claim of the next. */
static void killed_between_two_hosts_the_next_is_asked(void **state)
{
	struct world *w = *state;

	w->host[0].refuse = EXIT_DENIED;
	die_activating(w, "settled", 1);
	assert_int_equal(world_copies(w, "web1"), 0);
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_word(w, "host", "node2");
	assert_int_equal(w->host[0].asked, 1);
	assert_one_copy(w);
	world_stop_ops(w);
}

static void killed_after_the_second_claim_one_copy_runs(void **state)
{
	struct world *w = *state;

	w->host[0].refuse = EXIT_DENIED;
	die_activating(w, "claimed", 2);
	/* The first host would take it now, and may not have it. */
	w->host[0].refuse = 0;
	assert_string_equal(restart_and_settle(w, FIRST), "done");
	assert_word(w, "host", "node2");
	assert_one_copy(w);
	world_stop_ops(w);
}

static void stopped_after(struct world *w, const char *step)
{
	world_start_ops(w);
	ask(w, "activation", FIRST, world_definition("web1", "128MiB"));
	json_decref(world_await(w, FIRST));
	world_stop_ops(w);
	w->kill_at = step;
	w->kill_nth = 1;
	world_start_ops(w);
	ask(w, "deactivation", SECOND, NULL);
	world_await_death(w);
	assert_string_equal(restart_and_settle(w, SECOND), "done");
	assert_int_equal(world_copies(w, "web1"), 0);
	/* One press of the power button, however often it was asked for. */
	assert_int_equal(w->host[0].transactions, 2);
	assert_word(w, "desired", "inactive");
	assert_word(w, "state", "defined");
	world_stop_ops(w);
}

static void killed_after_the_claim_a_stop_is_finished(void **state)
{
	stopped_after(*state, "claimed");
}

static void killed_after_the_answer_a_stop_is_finished(void **state)
{
	stopped_after(*state, "answered");
}

static void killed_after_the_settling_a_stop_is_finished(void **state)
{
	stopped_after(*state, "settled");
}

/* A request of a former opsd that arrives late is refused by its epoch: it cannot start twice. */
static void each_opsd_has_a_higher_epoch(void **state)
{
	struct world *w = *state;
	uint64_t epoch = 0;
	char id[37];
	int i;

	for (i = 0; i < 3; i++) {
		world_start_ops(w);
		strcpy(id, world_begin(w, "activation", "web1",
				       world_definition("web1", "128MiB")));
		json_decref(world_await(w, id));
		strcpy(id, world_begin(w, "deactivation", "web1", NULL));
		json_decref(world_await(w, id));
		assert_true(w->host[0].epoch > epoch);
		epoch = w->host[0].epoch;
		world_kill_ops(w);
	}
}

#define with_one(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
#define with_three(test) cmocka_unit_test_setup_teardown(test, world_setup_three, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_one(killed_before_the_claim_nothing_was_done),
		with_one(killed_after_the_claim_it_is_finished),
		with_one(killed_before_the_call_leaves_it_is_finished),
		with_one(killed_during_the_call_before_the_commit_it_is_finished),
		with_one(killed_during_the_call_after_the_commit_it_is_finished),
		with_one(killed_after_the_answer_before_the_settling_it_is_finished),
		with_one(killed_after_the_settling_it_is_finished),
		with_one(killed_after_the_end_it_stays),
		with_one(a_claim_that_the_host_then_refuses_is_undone),
		with_three(a_claim_binds_to_its_host),
		with_one(killed_many_times_it_is_finished),
		with_three(killed_between_two_hosts_the_next_is_asked),
		with_three(killed_after_the_second_claim_one_copy_runs),
		with_one(killed_after_the_claim_a_stop_is_finished),
		with_one(killed_after_the_answer_a_stop_is_finished),
		with_one(killed_after_the_settling_a_stop_is_finished),
		with_one(each_opsd_has_a_higher_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
