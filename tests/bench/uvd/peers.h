/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What else keeps such a book: etcd, by the JSON gateway that opsd uses, and libvirt. Each is
 * started with files of its own, is reached by nobody else, and ends with this program.
 */
#ifndef BENCH_UVD_PEERS_H
#define BENCH_UVD_PEERS_H

#include "book.h"

/* False: it is not installed, or does not start, which was said. */
bool etcd_open(void);
void etcd_run(struct series *s, unsigned int clients, unsigned int round, double round_s);
void etcd_close(void);

bool libvirt_open(void);
void libvirt_run(struct series *s, unsigned int round, double round_s);
void libvirt_close(void);

#endif
