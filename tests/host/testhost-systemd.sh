#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shows: with --systemd, systemd is PID 1 of the test host, the project is there as make install puts it, and the command runs after ultravisor.target
# where: host
# timeout: 500
. "$(dirname "$0")/lib.sh"

# A stand-in for the project: one unit, one program, installed by its Makefile.
another_repository "$tmp/repository"
cat >"$tmp/repository/Makefile" <<'END'
install:
	install -D -m 755 uvd $(DESTDIR)/usr/sbin/uvd
	install -D -m 644 uvd.service $(DESTDIR)/usr/lib/systemd/system/uvd.service
	install -D -m 644 ultravisor.target $(DESTDIR)/usr/lib/systemd/system/ultravisor.target
END
cat >"$tmp/repository/uvd" <<'END'
#!/bin/bash
sleep 1
echo up >/var/lib/ultravisor/uvd
systemd-notify --ready
exec sleep infinity
END
cat >"$tmp/repository/uvd.service" <<'END'
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/sbin/uvd
Restart=always
RestartSec=100ms
END
cat >"$tmp/repository/ultravisor.target" <<'END'
[Unit]
Wants=uvd.service
After=uvd.service
END

cat >"$tmp/script" <<'END'
echo "PID 1 is $(cat /proc/1/comm), uvd is $(systemctl is-active uvd.service)"
cat /var/lib/ultravisor/uvd
command -v uvd
echo "words: $*"
systemctl --failed --no-legend --plain
echo an error >&2
exit 23
END
cd "$tmp"
export APPLIANCE_OUT=$tmp/result
status_is 23 "$tmp/repository/scripts/appliance" --systemd -- bash ./script 'a b' "it's"
diff - "$tmp/out" <<END || fail "the output differs"
PID 1 is systemd, uvd is active
up
/usr/sbin/uvd
words: a b it's
END
has "$tmp/err" '^an error$'
has "$tmp/result/log/journal.log" 'uvd.service'
