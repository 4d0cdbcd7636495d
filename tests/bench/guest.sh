# SPDX-License-Identifier: Apache-2.0
# The benchmark's guest: says that userspace has begun.
echo "bench: first line"
