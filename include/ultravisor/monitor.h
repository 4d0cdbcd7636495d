/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between uvd and one guest's monitor: how uvmonitor is started, and its monitor channel.
 *
 * uvd starts `uvmonitor` with everything it may ever touch as inherited descriptors, named on
 * the command line, so that a person can read in ps what a guest was given:
 *
 *   uvmonitor --name NAME --uuid UUID --partition FD --channel FD --vcpus N
 *             --memory FD:GPA:LENGTH [--memory …]          (bytes; memfds, not yet mapped)
 *             --kernel FD [--initrd FD] --cmdline TEXT
 *             [--device block|network:NAME:FD[:MAC]]…      (FD: its channel's client endpoint)
 *             [--console FD|stdout]                        (client endpoint, CHANNEL_CONSOLE)
 *
 * The monitor channel (CHANNEL_MONITOR): client the monitor, server uvd. Its memory outlives both,
 * so a restarted uvd reads there what became of the guest. No byte of it is trusted by uvd.
 */
#ifndef ULTRAVISOR_MONITOR_H
#define ULTRAVISOR_MONITOR_H

#include <stdatomic.h>
#include <stdint.h>

#define MONITOR_LAYOUT_VERSION	1
#define MONITOR_CLIENT_SIZE	4096u
#define MONITOR_SERVER_SIZE	4096u

/* Doorbells. uvd to monitor: press the power button. Monitor to uvd: the status changed. */
#define MONITOR_DOORBELL_POWER	0
#define MONITOR_DOORBELL_STATUS	0
#define MONITOR_DOORBELLS	1

enum monitor_state {
	MONITOR_NONE = 0,
	MONITOR_LOADING = 1,
	MONITOR_RUNNING = 2,
	MONITOR_POWERED_OFF = 3,	/* the guest asked: ACPI S5 */
	MONITOR_FAILED = 4,		/* reason says why: triple fault, bad kernel … */
};

#define MONITOR_REASON_LEN 256

/* The client's area. reason goes with MONITOR_FAILED; state is stored last (release). */
struct monitor_status {
	_Atomic uint32_t state;		/* enum monitor_state */
	_Atomic uint32_t reboots;	/* how often the guest has reset itself */
	_Atomic uint64_t power_presses;	/* power button events given to the guest */
	char reason[MONITOR_REASON_LEN];
};

/* uvmonitor's exit codes; the channel has the details. */
#define MONITOR_EXIT_OFF	0
#define MONITOR_EXIT_FAILED	1
#define MONITOR_EXIT_USAGE	2

/* Guest physical memory: below and above the hole that PCI and the local APICs need. */
#define MONITOR_LOW_LIMIT	0xc0000000ULL	/* block 0 ends here at the latest */
#define MONITOR_HIGH_BASE	0x100000000ULL	/* where a second block starts */

#endif
