/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page in Prometheus' text format, version 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats): families one after the other, each
 * with its HELP and TYPE before all of its samples.
 */
#ifndef COMMON_EXPOSITION_H
#define COMMON_EXPOSITION_H

#include <stddef.h>
#include <stdio.h>

#define EXPOSITION_TYPE	"text/plain; version=0.0.4; charset=utf-8"

struct exposition {
	FILE *to;
	char *text;
	size_t size;
	const char *family;
};

/* 0 or -ENOMEM. */
int exposition_begin(struct exposition *x);
/* The page, the caller's to free; NULL: out of memory. */
char *exposition_end(struct exposition *x);

/* type: "counter", "gauge", "histogram". help: one line. The family's name must live on. */
void exposition_family(struct exposition *x, const char *family, const char *type,
		       const char *help);
/* Of that family; behind value labels, pairs of name and value, then NULL. */
void exposition_sample(struct exposition *x, const char *suffix, double value, ...)
	__attribute__((sentinel));

#endif
