"""What systemd's tools, init scripts and kernel settings are judged to do."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = """
systemctl
systemctl --failed
systemctl -H web-3 list-units 'nginx*'
systemctl list-units --type=service --state=running --no-pager --plain
systemctl status reboot.target
systemctl -t service --state=failed
systemctl log-level
systemctl get-default
for s in $(cat units); do systemctl is-active $s; done
journalctl -b -1 -u 'nginx*' -n100 -o json
journalctl --unit rotate --grep vacuum --since yesterday
journalctl -n 50 -fu nginx
hostnamectl
hostnamectl hostname
timedatectl status
resolvectl
resolvectl dns eth0
systemd-inhibit
systemd-inhibit ls /
busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager ListUnits
busctl get-property org.freedesktop.timedate1 /org/freedesktop/timedate1 org.freedesktop.timedate1 NTP
dbus-send --system --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames
service nginx status
service --status-all
rc-service nginx status
sv status nginx
supervisorctl status
supervisorctl -c /etc/supervisor.conf tail checkout
shutdown --show
dmesg -T -l err,warn
dmesg -Lalways -T
dmesg --since '1 hour ago' -x
sysctl -a
sysctl vm.swappiness net.ipv4.ip_forward
modprobe --show-depends br_netfilter
modprobe -n -v zfs
logrotate -d /etc/logrotate.conf
chkconfig --list nginx
ipmitool -I lanplus -H bmc-3 -U admin sel elist
ipmitool sdr
ipmitool chassis power status
"""
CHANGE = """
systemctl -n 5 restart nginx
systemctl --property=Id stop nginx
systemctl -p status stop nginx
systemctl log-target console
systemctl service-log-level nginx.service debug
journalctl --synch --rotate
journalctl --cursor-f=/tmp/c -u nginx
hostnamectl --transient hostname web-9
resolvectl domain eth0 example.com
systemd-run touch /tmp/x
systemd-analyze log-level debug
udevadm info --cleanup-db
service status restart
service nginx restart
service --status-all nginx
sysctl -w vm.swappiness=1
sysctl kernel.panic=10
sysctl -p
sysctl -p/etc/sysctl.conf
sysctl --lo=/etc/sysctl.conf
dmesg -Tc
dmesg --console-o
modprobe -r nf_conntrack
init q
supervisorctl restart all
monit restart nginx
systemd-tmpfiles --create
timedatectl set-time '2024-01-01 00:00'
logrotate -f /etc/logrotate.conf
logrotate -d -l /tmp/log /etc/logrotate.conf
ipmitool sel time set now
chkconfig nginx off
"""
DESTRUCTIVE = """
systemctl -q reboot
systemctl start systemd-reboot.service
systemctl isolate reboot
systemctl start --no-block kexec.target
systemctl clean nginx.service
journalctl --vacuum-ti=1s
journalctl --vacuum-size 1M
systemd-run -p ExecStopPost='rm -rf /srv/app' true
systemd-run --on-active 5 rm -rf /srv/app
machinectl shell build-1 /bin/rm -rf /srv
systemd-tmpfiles --clean
systemd-tmpfiles --dry-r --remove --clean x; systemd-tmpfiles --remove
busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager PowerOff b false
gdbus call -y -d org.freedesktop.login1 -o /org/freedesktop/login1 --method org.freedesktop.login1.Manager.Reboot 0
poweroff
telinit 6
shutdown -r now
ipmitool -H bmc-3 chassis power cycle
pm2 flush
"""
UNKNOWN = """
systemctl "$WHAT" nginx
systemctl frobnicate
journalctl $FLAGS
service "$NAME" status
service ../../tmp/x status
supervisorctl
sysctl "$SETTING"
coredumpctl debug 1234
systemctl --image=/srv/x.img list-unit-files
"""
CASES = [
    (line, risk)
    for risk, lines in (
        ("read", READ),
        ("change", CHANGE),
        ("destructive", DESTRUCTIVE),
        ("unknown", UNKNOWN),
    )
    for line in lines.strip().splitlines()
]


@pytest.mark.parametrize(("line", "risk"), CASES, ids=[line for line, _ in CASES])
def test_a_line_is_judged_by_what_it_does(line: str, risk: str) -> None:
    got = classify_line(line)
    assert got.risk == risk, got.findings
