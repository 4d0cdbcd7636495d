#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: the module can be unloaded when nothing uses it, not before, and ids of another load mean nothing
# where: appliance
# appliance: --no-daemons
# timeout: 60
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
guest=$root/build/tests/host/kmod/guest
kernel=$(grep -lxF "$(uname -r)" "$root"/build/kernels/*/release)
module=$root/build/kmod/$(basename "$(dirname "$kernel")")/ultravisor.ko

exec 9<>/dev/ultravisor
if rmmod ultravisor 2>/dev/null; then
	echo "unloaded under an open descriptor" >&2
	exit 1
fi
exec 9>&-
for ((i = 0; i < 5; i++)); do
	rmmod ultravisor
	[[ ! -e /dev/ultravisor ]]
	insmod "$module"
	"$guest"
done
