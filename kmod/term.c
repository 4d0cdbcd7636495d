// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "term.h"

int uvr_term_renew(struct uvr_term *term, u64 epoch, u64 deadline)
{
	if (!epoch || !deadline)
		return -EINVAL;
	if (!term->epoch)
		return -ENOENT;
	if (term->epoch != epoch)
		return -ESTALE;
	/* Whoever checks the deadline before an entry reads it without a lock. */
	WRITE_ONCE(term->deadline, deadline);
	return 0;
}

int uvr_term_set(struct uvr_term *term, u64 epoch, u64 deadline)
{
	if (!epoch || !deadline)
		return -EINVAL;
	if (!term->epoch)
		term->epoch = epoch;
	return uvr_term_renew(term, epoch, deadline);
}

bool uvr_term_expire(struct uvr_term *term, u64 now)
{
	if (!term->deadline || term->over || now < term->deadline)
		return false;
	WRITE_ONCE(term->over, true);
	return true;
}

bool uvr_term_revive(struct uvr_term *term, u64 now)
{
	if (!term->over || now >= term->deadline)
		return false;
	WRITE_ONCE(term->over, false);
	return true;
}

u64 uvr_term_alarm(struct uvr_term *term)
{
	if (!term->deadline || term->over || (term->alarm && term->alarm <= term->deadline))
		return 0;
	term->alarm = term->deadline;
	return term->alarm;
}

void uvr_term_alarmed(struct uvr_term *term)
{
	term->alarm = 0;
}
