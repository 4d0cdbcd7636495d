#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: no definition, policy, message of the command channel or reply to one makes a daemon crash, hang, or accept what it cannot say again
# where: host
# timeout: 240
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/fuzz/run common_definition 100000
tests/fuzz/run cmdpartd_policy 10000
tests/fuzz/run cmdpartd_reply 1000
tests/fuzz/run uvd_message 300
