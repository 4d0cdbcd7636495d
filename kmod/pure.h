/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of pure logic (budget.c, exit.c) need, in the kernel and in userspace, where
 * the unit tests compile them under sanitizers.
 */
#ifndef _UVR_PURE_H
#define _UVR_PURE_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>
typedef uint64_t u64;
typedef uint32_t u32;
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#endif

#endif /* _UVR_PURE_H */
