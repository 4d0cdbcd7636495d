/* SPDX-License-Identifier: Apache-2.0 */
/* The database as a file: is it sound, and putting a backup in its place. For uvd's options. */
#ifndef UVD_BOOK_H
#define UVD_BOOK_H

#include <stdio.h>

/*
 * Reads all of a database and tells what it finds, in words: 0 sound, 1 not, -errno (told, too).
 * uvd may be running.
 */
int book_check(FILE *to, const char *path);

/*
 * Makes the database in the state directory what a backup is, or leaves it as it was; uvd must not
 * run. 0 or -errno (told): -EBUSY, it runs; -EUCLEAN, the backup is not sound.
 */
int book_restore(FILE *to, const char *state, const char *backup);

#endif
