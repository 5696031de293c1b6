"""What tracers, debuggers and servers' own programs are judged to do."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line

READ = r"""
perf list
perf report --stdio -i perf.data
perf stat -e cycles -a ls
perf top -p 1234
perf sched latency
gdb -batch -ex bt /usr/bin/checkout core.1234
gdb -q -batch -ex 'set pagination off' -ex 'thread apply all bt full' checkout core
bpftrace -l 'kprobe:tcp_*'
bpftool prog
bpftool map dump id 3
tcplife-bpfcc -p 1234
trace-cmd report
sysdig -r x.scap
jps -lv
jstack -l 1234
jmap -histo 1234
jcmd
jcmd 1234 Thread.print
jcmd 1234 VM.native_memory summary
jcmd 1234 GC.heap_info
py-spy dump --pid 1234
pprof -top -nodecount 20 cpu.prof
nginx -t
nginx -T -c /etc/nginx/nginx.conf
apachectl -S
apachectl configtest
haproxy -c -f /etc/haproxy/haproxy.cfg
varnishadm backend.list
varnishlog -g request -q 'RespStatus >= 500'
postqueue -p
mailq
postconf -n
exim -bp
sshd -T
promtool check config /etc/prometheus/prometheus.yml
promtool query instant http://prom:9090 up
amtool alert query severity=critical --alertmanager.url=http://am:9093
amtool --alertmanager.url http://am:9093 silence query
certbot certificates
fail2ban-client status sshd
caddy validate --config /etc/caddy/Caddyfile
php-fpm -t
"""
CHANGE = r"""
perf record -g -p 1234 sleep 5
perf stat -o /tmp/x ls
perf probe --del '*'
perf probe -q -l --add tcp_sendmsg
gdb -batch -p 1234 -ex bt
gdb -batch -ex bt /usr/bin/checkout 1234
bpftool prog dump xlated id 3 file /tmp/x
bpftool net detach xdp dev eth0
jmap -dump:live,file=/tmp/x 1234
jmap -histo:live 1234
jinfo -flag +HeapDumpOnOutOfMemoryError 1234
bpftool batch file x
jcmd 1234 GC.run
py-spy record -o x.svg --pid 1234
sysdig -w x.scap
nginx
nginx -s reload
nginx -t -s reload
apachectl graceful
haproxy -f /etc/haproxy/haproxy.cfg -D
varnishadm ban req.url '~' /x
varnishlog -w /tmp/x
postqueue -f
postsuper -h ALL
postconf -e 'mynetworks = 0.0.0.0/0'
amtool silence add alertname=x
certbot renew
fail2ban-client set sshd unbanip 192.0.2.1
sshd -D
promtool tsdb create-blocks-from openmetrics x y
"""
DESTRUCTIVE = r"""
perf stat rm -rf /srv
perf record -o /dev/null -- rm -rf /srv
gdb -batch -ex 'shell rm -rf /srv' /bin/ls
gdb -batch --ex '!rm -rf /srv' /bin/ls
gdb -batch -iex 'pipe p 1 | rm -rf /srv' -ex 'shell rm -rf /srv' /bin/ls
valgrind --tool=none rm -rf /srv
py-spy top -- rm -rf /srv
bpftrace --unsafe -e 'BEGIN { system("rm -rf /srv"); }'
postsuper -d ALL
certbot delete --cert-name example.com
exim -Mrm 1abc
"""
UNKNOWN = r"""
perf script -s x.py
perf report --objdump=/tmp/x
perf --exec-path=/tmp list
perf stat "$BIN"
gdb /bin/ls
gdb -batch -x cmds /bin/ls
gdb -batch -ex 'print (int)system("ls")' /bin/ls core
gdb -batch -ex "$CMD" /bin/ls core
bpftrace x.bt
jcmd 1234 -f cmds
jcmd "$PID" $CMD
nginx -t -c /tmp/nginx.conf
nginx -t -g 'load_module /tmp/x.so;'
httpd -t -f /tmp/x.conf
varnishadm
sysdig -c /tmp/x.lua
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
