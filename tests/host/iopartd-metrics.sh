#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: what a guest's disk, network card and console do is counted, told by `cmdpartctl top` and in Prometheus' format by /metrics, and goes on being counted by the server that takes over, with the stall that the guest felt
# where: appliance
# appliance: --cpus 4 --memory 3G
# timeout: 180
source "$(dirname "$0")/lib/guest.bash"

http() { curl -sS --max-time 20 --unix-socket /run/ultravisor/cmdpartd.sock "$@"; }
device() { http http://h/v1/devices | jq -c --arg device "$1" '.devices[] | select(.partition == "writer" and .device == $device)'; }
number() { device "$1" | jq -r "$2"; }
pid_of() { pgrep -o -f "^([^ ]*/)?iopartd --instance ${1#io-}"; }

fail_back 0
writer disk net console
within 20 busybox ping -c 1 -W 1 10.77.0.2
device root | jq -e '.type == "block" and .failovers == 0 and .stall_ns == 0 and (.waits | not) and .epoch == 1
	and .operations.write.requests > 10 and .operations.write.bytes > 1000000 and .operations.flush.requests > 0
	and .operations.read.bytes > 0 and ([.operations[].errors] | add) == 0
	and (.operations | all(.requests == (.latency | add))) and .operations.write.latency_ns > 0' >/dev/null ||
	fail "the disk: $(device root)"
device net0 | jq -e '.type == "network" and .operations.receive.requests > 0 and .operations.transmit.bytes > 0 and .in_flight == null' >/dev/null ||
	fail "the network card: $(device net0)"
device console | jq -e '.type == "console" and .operations.output.bytes > 100' >/dev/null || fail "the console: $(device console)"

cmdpartctl top --json >"$work/top"
jq -e '.devices | any(.partition == "writer" and .device == "root" and .interval_ns > 900000000 and .requests > 0 and .latency_p50_ns > 0
	and .latency_p99_ns >= .latency_p50_ns)' "$work/top" >/dev/null || fail "top --json: $(cat "$work/top")"
cmdpartctl top --once >"$work/top"
has "$work/top" '^PARTITION +DEVICE +TYPE +SERVER +EPOCH'
has "$work/top" '^writer +root +block +io-[ab] +1 '

# Whose requests were under way is killed: the next one counts on, and the guest has waited.
server=$(number root .server)
within 30 eval '(($(number root .in_flight) > 0))'
before=$(number root .operations.write.requests)
kill -KILL "$(pid_of "$server")"
other() { [[ $(number root .server) == io-* && $(number root .server) != "$server" && $(number root .waits) == false ]]; }
within 30 other
within 30 writer_advanced "$(writer_last)"
device root | jq -e --argjson before "$before" '.failovers == 1 and .epoch == 2 and .operations.write.requests > $before
	and .stall_max_ns >= .stall_ns and .stall_ns < 60000000000' >/dev/null || fail "after a take-over: $(device root), before it $before"
echo "the guest waited $(($(number root .stall_ns) / 1000)) us"

# The format: https://prometheus.io/docs/instrumenting/exposition_formats/
http -o "$work/metrics" -w '%{content_type}\n' http://h/metrics >"$work/type"
is "the type" "$(cat "$work/type")" 'text/plain; version=0.0.4; charset=utf-8'
awk '
	function bad(why) { print FILENAME ": line " NR ": " why ": " $0; wrong = 1 }
	/^# HELP / { family = $3; if (seen[family]++) bad("a family again"); help = 1; next }
	/^# TYPE / { if ($3 != family || !help || $4 !~ /^(counter|gauge|histogram)$/) bad("no type"); type[family] = $4; help = 0; next }
	!/^[a-z_]+(\{([a-z_]+="[^"\\]*",?)+\})? -?[0-9.e+-]+$/ { bad("no sample"); next }
	{
		name = $1; sub(/\{.*/, "", name); base = name
		if (type[family] == "histogram") sub(/_(bucket|sum|count)$/, "", base)
		if (base != family) bad("not of its family")
		if (type[family] == "counter" && family !~ /_total$/) bad("a counter without _total")
		if (samples[$1]++) bad("a sample again")
		if (name ~ /_bucket$/) { if (last != "" && $2 < last) bad("a bucket with less than the one before"); last = $2; if ($1 ~ /le="\+Inf"/) { inf = $2; last = "" } }
		if (name ~ /_count$/ && $2 != inf) bad("not as many as in the last bucket")
	}
	END { exit wrong }' "$work/metrics" || fail "the format"
for name in 'ultravisor_vcpu_run_seconds_total{partition="writer",vcpu="0"}' \
	'ultravisor_vcpu_exits_total{partition="writer",vcpu="0",kind="pio"}' \
	'ultravisor_device_failovers_total{partition="writer",device="root"}' \
	'ultravisor_device_bytes_total{partition="writer",device="root",operation="write"}' \
	'ultravisor_device_latency_seconds_bucket{partition="writer",device="root",operation="write",le="0.000131072"}' \
	'ultravisor_partition_state{partition="writer",kind="guest",state="running"}'; do
	awk -v name="$name" 'index($0, name " ") == 1 { found = 1 } END { exit !found }' "$work/metrics" || fail "no $name in $(cat "$work/metrics")"
done
writer_whole cmdpartctl kill writer
