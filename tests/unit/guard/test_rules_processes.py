"""Processes, jobs and accounts."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "ps aux --sort=-%mem", "ps -eo pid,cmd", "pgrep -af x", "top -b -n1", "top -bn1 -o %CPU", "top -bHn1 -p 1",
    "htop --readonly", "free -m", "vmstat 1 5", "uptime", "w -h", "who -b", "last -n 5", "lastb",
    "lsof -nP -iTCP:443", "lsof -iUDP:53", "lsof +L1", "fuser -v -n tcp 80", "pmap -x 1", "pidof x",
    "pstree -p", "kill -l", "kill -l 9", "kill -0 1", "kill -0 $(cat f)", "kill -s 0 1", "killall -l",
    "pkill -0 -f x", "killall -0 x", "iostat -xz 1", "mpstat -P ALL", "sar -n DEV 1 3", "sar -f f",
    "pidstat -d 1 5", "dstat -cdn 1 5", "slabtop -o", "taskset -p 1", "taskset -cp 1", "taskset 0x3 ls",
    "taskset -c 0-3 ls", "ionice -p 1", "ionice -c 3 ls", "ionice -c3 -n7 ls", "chrt -p 1", "chrt -m",
    "chrt -f 50 ls", "chrt -b 0 ls", "prlimit -p 1", "prlimit --pid 1 --nofile", "prlimit --nofile=9 ls",
    "choom -p 1", "crontab -l", "crontab -lu a", "crontab -u a -l", "atq", "at -l", "at -c 3", "id a", "groups",
    "chage -l a", "passwd -S a", "passwd --status a", "lastlog -u a", "faillock --user a", "faillog -a",
    "useradd -D", "pwck -r", "visudo -c", "visudo -cf f", "sudo -l", "sudo -l -U a", "sudo -nl", "getfacl -R x",
    "lsattr x", "setfacl --test -m u:a:r x",
]  # fmt: skip
CHANGES = [
    "kill 1", "kill -9 1", "kill -9 -0", "kill -s TERM 1", "kill -0 -9", "kill -HUP -0", "kill -TERM -- -1",
    "pkill x", "pkill -9 -f x", "pkill -0 -9 x", "killall -0 -9 x", "pkill -l x", "killall -s 0 -9 x",
    "skill x", "renice 5 1", "fuser -k 80/tcp", "fuser -vkn tcp 80", "sar -o f 1 2", "dstat --output f",
    "dstat --out=f 1", "taskset -p 3 1", "taskset -cp 0-3 1", "ionice -c3 -p 1", "chrt -p 50 1",
    "chrt -f -p 50 1", "chrt -ip 0 1", "prlimit -p 1 -n9:9", "prlimit --nofile=9 --pid 1", "choom -n 5 -p 1",
    "gcore 1", "crontab f", "crontab -e", "echo x | crontab -", "crontab -u a f", "at -f f now",
    "echo ls | at now", "useradd a", "useradd -D -s /bin/sh", "usermod -aG a b", "passwd a", "passwd -l a",
    "passwd -d a", "chage -E 1 a", "lastlog -C -u a", "lastlog -Cu a", "faillock --reset", "faillog -r", "pwck",
    "visudo", "chpasswd", "groupadd a", "groupdel a", "gpasswd -d a b", "setfacl -m u:a:r x", "chattr +i x",
    "vipw", "chsh -s x a",
]  # fmt: skip
DESTROYS = [
    "crontab -r", "crontab -ri", "crontab -u a -r", "crontab /dev/null", "crontab - < /dev/null",
    "echo 'rm x' | at now", "at now <<< 'rm x'", "batch <<< 'rm x'", "atrm 3", "at -d 3", "userdel a",
    "userdel -r a", "deluser --remove-home a", "taskset 1 rm x", "taskset -c 0 rm x", "ionice -c3 rm x",
    "chrt -f 1 rm x", "prlimit --nofile=9 rm x", "choom -n 1 -- rm x", "pidstat -e rm x",
]  # fmt: skip
UNKNOWN = [
    "top", "htop", "atop -r f", "glances", "nmon -f", "taskset 1 ./x", "chrt -f 1 $x", "pidstat $x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_about_processes_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
