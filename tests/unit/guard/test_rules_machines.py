"""Virtual machines and commands on many machines."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "virsh list --all",
    "virsh -c qemu:///system dumpxml web",
    "virsh -r domstats",
    "lxc list",
    "lxc info web --show-log",
    "lxc config show web",
    "lxc exec web -- ps aux",
    "lxc storage volume list default",
    "vagrant status",
    "vagrant global-status",
    "vagrant box list",
    "pdsh -w web-[1-9] uptime",
    'pdsh -w web-[1-9] "ps aux | wc -l" | dshbak',
    "clush -ab uname -r",
    "pssh -h hosts -i uptime",
    "cgget -g memory /system.slice",
    "sensors",
    "nvidia-smi",
    "nvidia-smi --query-gpu=name,utilization.gpu --format=csv -l 5",
    "nvidia-smi topo -m",
    "nvidia-smi dmon -c 3",
]
CHANGES = [
    'virsh "list; destroy web"',
    "virsh start web",
    "virsh snapshot-create web",
    "virsh -l /tmp/x list",
    "lxc start web",
    "lxc config set web limits.cpu 2",
    "vagrant up",
    "vagrant global-status --prune",
    "clush -a --copy x --dest /etc",
    "pssh -h hosts -o out uptime",
    "pdsh -w web-1 touch x",
    "nvidia-smi -q -f out",
    "sensors -s",
]
DESTROYS = [
    "virsh destroy web",
    "virsh undefine web",
    "virsh vol-delete x --pool y",
    "lxc delete web",
    "lxc exec web -- rm -r /srv",
    "lxc image delete x",
    "vagrant destroy",
    "pdsh -w web-1 rm -r x",
    'pdsh -a "ls; rm x"',
    "clush -w web-1 rm x",
    "pssh -h hosts rm x",
]
UNKNOWN = [
    "virsh",
    "virsh qemu-monitor-command web x",
    "lxc exec web bash",
    "pdsh -w web-1",
    "clush -m x -a ls",
    "nvidia-smi -r",
    "nvidia-smi --gpu-reset",
    "nvidia-smi -pm 1",
]


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_machines_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
