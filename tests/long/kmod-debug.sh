#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: all tests of the module pass under KASAN, UBSAN, lockdep and preemption anywhere, and leave no memory behind
# kernels: debug
# timeout: 7200
. "$(dirname "$0")/lib.sh"

module_tests
