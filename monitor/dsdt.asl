/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest's operating system must be told in AML: soft-off, the PCI bus with its windows,
 * and COM1. Compiled by iasl; dsdt.h has its output, so that building needs no compiler of
 * AML, and tests/host/monitor-acpi.sh compares the two. Numbers are those of layout.h and pm.h.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "ULTRAV", "UVMON   ", 1)
{
	/* SLP_TYP 5: pm.h */
	Name (\_S5, Package () { 5, 5, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x1000, 0xffff, 0, 0xf000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0xc0000000, 0xfebfffff, 0, 0x3ec00000)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, 0x03f8, 0x03f8, 0, 8)
				IRQNoFlags () { 4 }
			})
		}
	}
}
