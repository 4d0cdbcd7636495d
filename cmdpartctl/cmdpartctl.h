/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands share: options that all have, the call to cmdpartd, how outcomes are told. */
#ifndef CMDPARTCTL_CMDPARTCTL_H
#define CMDPARTCTL_CMDPARTCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <common/error.h>
#include <common/exit_code.h>

#define CMDPARTCTL_SOCKET "/run/ultravisor/cmdpartd.sock"

/* Options, of all commands; each command lists the letters of those it takes. */
struct options {
	const char *socket;		/* --socket */
	bool json;			/* --json */
	const char *request_id;		/* r --request-id */
	const char *reason;		/* R --reason */
	unsigned int timeout_s;		/* t --timeout; 0: the command's own */
	bool log, read_only;		/* l --log, o --read-only */
	bool no_wait;			/* w --no-wait */
	bool force;			/* f --force */
	unsigned int limit;		/* n --limit */
	uint64_t after;			/* a --after */
	bool has_after;
	bool map;			/* m --map */
	const char *plan, *release;	/* p --plan, e --release: a plan's token */
	unsigned int reserve_s;		/* v --reserve; 0: not */
	uint64_t at_ns;			/* T --at */
	bool once;			/* 1 --once */
	bool follow;			/* F --follow */
	unsigned int interval_s;	/* i --interval; 0: the command's own */
	char id[37];			/* the request id in use */
};

struct command {
	const char *name, *arguments, *what;
	const char *options;		/* letters, as above */
	int least, most;		/* arguments */
	int (*run)(const struct options *o, int argc, char **argv);
};

extern const struct command commands[];

/* Calls cmdpartd; the path is made by format, whose %s arguments must be escaped. */
enum exit_code call(const struct options *o, const char *method, const json_t *body,
		    json_t **reply, struct error *e, const char *path, ...)
	__attribute__((format(printf, 6, 7)));

/* Prints the error, clears it, returns its code. */
int give_up(const struct options *o, struct error *e);

/* A body with the request id and reason of the options; a new reference. */
json_t *request_body(const struct options *o);

/* A string member, "" if there is none. */
const char *text(const json_t *object, const char *key);

/* One request about one partition: /v1/partitions/NAME and verb; *reply is the answer. */
enum exit_code ask(const struct options *o, const char *method, const char *name, const char *verb,
		   json_t **reply, struct error *e);

/* POST with a body of one's own. */
enum exit_code ask_with(const struct options *o, const char *name, const char *verb,
			const json_t *body, json_t **reply, struct error *e);

/* "web1: defined (transaction 3)", or the answer. */
void say(const struct options *o, const json_t *reply, const char *name, const char *done,
	 const char *already);

/*
 * Looks until the state is none of `while_`, or the time is over. A daemon that is being
 * restarted meanwhile is no reason to give up. *reply is the last answer, NULL: there was none.
 */
void wait_for_state(const struct options *o, const char *name, const char *const *while_,
		    unsigned int seconds, json_t **reply);

#define START_SECONDS	60
#define STOP_SECONDS	120

/* KEY=VALUE arguments as the changes of a partition, a new reference; NULL and *e. */
json_t *changes(int argc, char **argv, struct error *e);
/* The same of a domain. */
json_t *domain_changes(int argc, char **argv, struct error *e);

/* Reads a definition's file, and looks whether what it names is there. 0, or -1 and *e. */
struct definition;
int load_definition(struct definition *d, const char *path, struct error *e);

/* The table of { "ledger": [ … ] }. */
void print_ledger(const json_t *reply);

/* The host's processors and memory, and whose they are. */
int show_host(const struct options *o);

/* Clears a host whose uvd is dead, without any daemon (purge.c). */
int purge(const struct options *o);

/*
 * GETs path and prints it by the function, or as JSON. What is about one thing is printed as that
 * thing's object, with the lists beside it as members: .state, not .partition.state.
 */
int show(const struct options *o, const char *path, const char *thing,
	 void (*print)(const json_t *reply));

/*
 * The book (book.c, backup.c), the partition commands (partition.c), lists (show.c), the console,
 * the host (host.c).
 */
int run_define(const struct options *o, int argc, char **argv);
int run_undefine(const struct options *o, int argc, char **argv);
int run_start(const struct options *o, int argc, char **argv);
int run_stop(const struct options *o, int argc, char **argv);
int run_kill(const struct options *o, int argc, char **argv);
int run_pause(const struct options *o, int argc, char **argv);
int run_resume(const struct options *o, int argc, char **argv);
int run_set(const struct options *o, int argc, char **argv);
int run_lease(const struct options *o, int argc, char **argv);
int run_io(const struct options *o, int argc, char **argv);
int run_top(const struct options *o, int argc, char **argv);
int run_why(const struct options *o, int argc, char **argv);
int run_plan(const struct options *o, int argc, char **argv);
int run_transact(const struct options *o, int argc, char **argv);
int run_list(const struct options *o, int argc, char **argv);
int run_show(const struct options *o, int argc, char **argv);
int run_backup(const struct options *o, int argc, char **argv);
int run_history(const struct options *o, int argc, char **argv);
int run_events(const struct options *o, int argc, char **argv);
int run_verify(const struct options *o, int argc, char **argv);
int run_ledger(const struct options *o, int argc, char **argv);
int run_host(const struct options *o, int argc, char **argv);
int run_domain(const struct options *o, int argc, char **argv);
int run_policy(const struct options *o, int argc, char **argv);
int run_console(const struct options *o, int argc, char **argv);

#endif
