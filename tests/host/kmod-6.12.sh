#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: all that the tests of the module show holds on Debian's second kernel, too; and each errno that docs/abi.md promises has come back from its call
# where: appliance
# appliance: --no-daemons --kernel 6.12
# timeout: 400
set -uo pipefail
cd "$(dirname "$0")" || exit 1
failed=0
UVR_REACHED=$(mktemp /tmp/reached.XXXXXX)
export UVR_REACHED
for t in kmod-*.sh; do
	[[ $t == kmod-6.12.sh ]] || grep -q '^# where: host' "$t" && continue
	"./$t" || failed=1
done
../style/errnos --reached "$UVR_REACHED" || failed=1
exit $failed
