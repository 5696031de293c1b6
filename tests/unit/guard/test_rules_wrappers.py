"""Programs that run another, and what a shell has built in."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "env -S 'ls -l'", "env - ls", "env -i A=b ls", "env -u A -C /srv ls", "env kill=9 rm=1 ls",
    "sudo -u a -g b -- ls", "sudo --user a ls", "sudo -n -E ls", "sudo -k ls", "doas -u a ls", "su -c ls",
    "su - a -c 'ls -l'", "su a -s /bin/sh -c ls", "runuser -u a -- ls -l", "runuser -l a -c ls", "timeout 5 ls",
    "timeout -k 1 -s KILL 5 ls", "timeout --foreground 5s ls", "nice -19 ls", "nice -n5 ls", "nohup ls",
    "setsid -w ls", "stdbuf -oL ls", "stdbuf -o L ls", "time -p ls", "/usr/bin/time -v ls", "xargs",
    "xargs -0 grep x", "xargs -r -n 1 -P4 ls", "xargs -I{} ls {}", "xargs -a f ls", "echo a b | xargs ls",
    "echo a | xargs sort", "echo rm | xargs -n1 man -w", "parallel ls ::: a b",
    "parallel -j4 gzip -t {} ::: a b", "parallel --dry-run rm ::: a", "watch ls", "watch -n1 -d 'ls | wc'",
    "watch -x ls -l", "ls | entr ls /_", "ls | entr -s 'ls | wc'", "busybox ls", "busybox --list",
    "chroot /x ls", "chroot --userspec=a /x ls", "unshare -n ls", "unshare -rm ls",
    "nsenter -t 1 -m -p -- ps aux", "nsenter -t1 -n ls", "nsenter --target 1 --net ls", "setpriv --reuid=1 ls",
    "setpriv -d", "numactl -H", "numactl --cpunodebind=0 ls", "cgexec -g cpu:x ls", "faketime yesterday date",
    "fakeroot ls", "capsh --print", "capsh -- -c ls", "rlwrap ls", "strace ls", "strace -c -f ls",
    "strace -o /dev/null ls", "strace -e trace=file ls", "ltrace -c ls", "script -qc ls /dev/null", "tmux ls",
    "tmux list-panes -a", "tmux capture-pane -p -t 0", "screen -ls", "dbus-run-session -- ls",
    "run-parts --test /etc/cron.daily", "pv f | wc -c", "jc ls", "IFS= read -r x",
    "while IFS=, read -r a b; do echo $a; done < f", "printf -v x %s y", "mapfile -t a < f", "history",
    "history 20", "fc -l", "jobs -l", "hash -r", "enable", "compgen -c ls", "complete -p", "bind -p", "wait -n",
    "alias ll='ls -l'", "trap - EXIT", "trap -p", "type ls", "command -v rm", "read -r x", "let x=1",
    "ulimit -n", "help cd",
]  # fmt: skip
CHANGES = [
    "flock f ls", "flock -n 9", "time -o f ls", "script f -c ls", "script -qc ls f", "strace -p 1",
    "strace -fp 1", "strace -o f ls", "strace -oout ls", "strace -e inject=read:error=EIO ls",
    "strace --attach=1", "busybox --install", "busybox touch x", "tmux new -d", "tmux send-keys -t 0 ls Enter",
    "tmux kill-server", "tmux ls \\; kill-server", "tmux ls\\; kill-server", "screen -dmS a ls",
    "screen -S a -X quit", "parallel --joblog f ls ::: a", "parallel touch ::: a", "history -c", "history -w f",
    "unshare --net=/x ls", "cpulimit -l 5 -p 1", "echo a | xargs touch",
]  # fmt: skip
DESTROYS = [
    "env -S 'rm x'", "env -S'rm x'", "env -vS 'rm x'", "env --split='rm x'", "env -S find . -delete",
    "env -S 'find .' '# ' -delete", "env - rm x", "env -a x rm y", "env --argv0 ls rm x", "sudo -T 5 rm x",
    "sudo --type ls rm x", "sudo --role=x rm y", "sudo -i rm x", "doas rm x", "su -c 'rm x'",
    "su - a -c 'rm x'", "su a -- -c 'rm x'", "su --command='rm x'", "runuser -u a -- rm x", "runuser -u a rm x",
    "gosu a rm x", "pkexec rm x", "chpst -u a rm x", "timeout 5 rm x", "timeout --sig KILL 5 rm x",
    "setsid -f rm ls", "setsid -wf rm x", "stdbuf -i0 -o 0 rm x", "xargs -in rm -rf x", "xargs -er rm x",
    "xargs -ls rm x", "xargs -a f rm", "xargs -I{} sh -c 'rm {}'", "xargs -I% rm %", "echo x | xargs rm",
    "printf '%s\\n' -delete | xargs find .", "parallel rm ::: a", "parallel -j 4 'rm {}' ::: a",
    "parallel ::: 'rm x'", "parallel 'ls; rm {}' :::: f", "watch -dn1 rm x", "ls | entr -r rm /_",
    "ls | entr -s 'rm x'", "flock f rm x", "flock f -c 'rm x'", "flock -c 'rm x' f", "flock -w 5 f rm x",
    "busybox rm x", "busybox sh -c 'rm x'", "toybox rm x", "chroot /x rm y",
    "chroot --groups=a --userspec b /x rm y", "unshare -r rm x", "unshare -S 0 rm x", "nsenter -t 1 -m rm x",
    "nsenter -m/x rm y", "nsenter -t 1 -S 0 -- rm x", "setpriv --reuid 1 rm x", "numactl -N 0 rm x",
    "cgexec -g cpu:x rm y", "faketime -f now rm x", "fakeroot -- rm x", "proot -r /x rm y",
    "capsh -- -c 'rm x'", "capsh --drop=all -- -c 'rm x'", "dbus-run-session -- rm x", "xvfb-run -a rm x",
    "rlwrap -a rm x", "strace rm x", "strace -o f -e trace=all rm x", "ltrace -e x rm y", "script -c 'rm x' f",
    "script -qec 'rm x' /dev/null", "tmux new -d 'rm x'", "tmux new-session -d -s a rm x", "tmux neww 'rm x'",
    "tmux ls \\; run 'rm x'", "tmux -c 'rm x'", "screen -dmS a rm x", "expect -c 'spawn rm x'", "unbuffer rm x",
    "chronic rm x", "/lib64/ld-linux-x86-64.so.2 /bin/rm x", "mapfile -C 'rm x' -c 1 a < f", "jobs -x rm x",
    "pee 'rm x'", "jc rm x", "alias ll='rm x'", "alias ls='rm x'",
]  # fmt: skip
UNKNOWN = [
    "env -S 'ls\\_x'", 'env "$x"', "env -Q ls", "su", "su a", 'su -c "$x"', "su -s ./x -c ls", "su a x.sh",
    "runuser -u a -- ./x", "timeout 5 ./x", "timeout $x ls", "xargs -I{} {}", "xargs sh -c", "xargs sort",
    "echo -name -delete | xargs -n1 find .", "parallel < f", "parallel $x ::: a",
    "parallel '{= system(1) =} ls' ::: a", "watch $x", "watch -dn 1 ls", "nsenter -t 1 -m", "unshare -r",
    "chroot /x", "fakeroot", "numactl -N 0", "capsh --user=a -- -c ls", "capsh ==", "firejail --join=x ls",
    "strace -E LD_PRELOAD=x ls", "tmux display-message -p '#(rm x)'", "tmux -f x ls", "expect f",
    "expect -c 'spawn ls'", "run-parts /x", "alias ls='find .'", "alias x=$y", "hash -p /x ls", "enable -f x y",
    "fc -s", "fc", "bind -x '\"a\":ls'", "complete -C x y", "compgen -C x", "compgen -W '$(ls)'", "read PATH",
    "printf -v PATH x", "printf -vPATH x", "mapfile PATH", "read 'a[$(ls)]'", "test -v 'a[$(ls)]'",
    "unset x; source f", "PATH=/x; ls", "PATH+=:/x; ls", "LESSOPEN='|x' less f", "POSIXLY_CORRECT=1 ls",
    "sudo -R /x", "sudo", "nohup ./x", "proxychains -f x ls",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_wrappers_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
