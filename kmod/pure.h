/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of pure logic (budget.c, window.c, exit.c, term.c) need, in the kernel and in
 * userspace, where the unit tests compile them under sanitizers.
 */
#ifndef _UVR_PURE_H
#define _UVR_PURE_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <linux/types.h>

typedef __u64 u64;
typedef __u32 u32;
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#endif

#endif /* _UVR_PURE_H */
