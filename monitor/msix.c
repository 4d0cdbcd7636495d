/* SPDX-License-Identifier: Apache-2.0 */
/* The MSI-X table. */
#include <string.h>
#include <linux/pci_regs.h>

#include "msix.h"

#define CONTROL_MASKED	1
#define ENABLE		(PCI_MSIX_FLAGS_ENABLE >> 8)	/* in the second byte of the control word */
#define MASK_ALL	(PCI_MSIX_FLAGS_MASKALL >> 8)

void msix_init(struct msix *m, struct pci_device *d, unsigned int bar, unsigned int count)
{
	struct { uint8_t id, next; uint16_t control; uint32_t table, pending; } body = {
		.control = count - 1,
		.table = bar,
		.pending = MSIX_PENDING | bar,
	};

	_Static_assert(sizeof(body) == PCI_CAP_MSIX_SIZEOF, "MSI-X capability");
	m->count = count;
	m->capability = pci_capability(d, PCI_CAP_ID_MSIX, &body, sizeof(body));
	d->writable[m->capability + 3] = ENABLE | MASK_ALL;
	msix_reset(m, d);
}

void msix_reset(struct msix *m, struct pci_device *d)
{
	unsigned int i;

	memset(m->word, 0, sizeof(m->word));
	for (i = 0; i < MSIX_MAX; i++)
		m->word[i][3] = CONTROL_MASKED;
	m->pending = 0;
	d->config[m->capability + 3] &= ~(ENABLE | MASK_ALL);
}

static uint32_t read_word(const struct msix *m, uint32_t index)
{
	if (index < 4 * m->count)
		return m->word[index / 4][index % 4];
	return index == MSIX_PENDING / 4 ? m->pending : 0;
}

/* Words and pairs of words only, as the specification demands of software. */
uint64_t msix_read(const struct msix *m, uint32_t offset, unsigned int size)
{
	if ((size != 4 && size != 8) || offset % size)
		return ~0ULL;
	if (size == 4)
		return read_word(m, offset / 4);
	return read_word(m, offset / 4) | (uint64_t)read_word(m, offset / 4 + 1) << 32;
}

static bool write_word(struct msix *m, uint32_t index, uint32_t value)
{
	uint32_t *word, before;

	if (index >= 4 * m->count)
		return false;
	word = &m->word[index / 4][index % 4];
	before = *word;
	*word = index % 4 == 3 ? value & CONTROL_MASKED : value;
	return *word != before;
}

bool msix_write(struct msix *m, uint32_t offset, uint64_t value, unsigned int size)
{
	bool changed;

	if ((size != 4 && size != 8) || offset % size)
		return false;
	changed = write_word(m, offset / 4, value);
	if (size == 8)
		changed |= write_word(m, offset / 4 + 1, value >> 32);
	return changed;
}

bool msix_message(const struct msix *m, const struct pci_device *d, uint16_t vector,
		  struct irq_message *message)
{
	uint8_t control = d->config[m->capability + 3];
	const uint32_t *w = m->word[vector % MSIX_MAX];

	if ((control & (ENABLE | MASK_ALL)) != ENABLE || vector >= m->count ||
	    w[3] & CONTROL_MASKED)
		return false;
	message->address = w[0] | (uint64_t)w[1] << 32;
	message->data = w[2];
	return true;
}
