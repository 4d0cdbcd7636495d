#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: dsdt.h is what iasl makes of dsdt.asl, without a warning
# where: host
# timeout: 20
. "$(dirname "$0")/lib.sh"

need iasl
cp "$repo/monitor/dsdt.asl" "$tmp"
(cd "$tmp" && iasl -we dsdt.asl) >"$tmp/log" || fail "$(cat "$tmp/log")"
sed -n '/{/,/}/p' "$repo/monitor/dsdt.h" | grep -oE '0x[0-9a-f]{2}' | sed 's/0x//' >"$tmp/have"
od -An -v -tx1 -w1 "$tmp/dsdt.aml" | tr -d ' ' >"$tmp/want"
# Bytes 28 to 35 and the checksum name the compiler's version.
for f in have want; do
	sed -e 10d -e 29,36d "$tmp/$f" >"$tmp/$f.plain"
done
cmp "$tmp/have.plain" "$tmp/want.plain" || fail "dsdt.h is not the output of iasl dsdt.asl"
