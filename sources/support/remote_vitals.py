"""What a host's shell is asked for its health, and how its answer is read: /proc by one `grep`, disks by `df`.

One `grep` over a fixed list of files gives each line its file's name and leaves out what is not needed, so that a
host starts one process a look and sends about two kilobytes. No more than that and `df` is needed; BusyBox has both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from sources.support.remote_shell import script
from sources.support.storage import Usage

FILES = (
    "/proc/stat",
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/net/dev",
    "/proc/pressure/cpu",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/sys/fs/file-nr",
    "/sys/devices/system/cpu/online",
    "/sys/class/net/*/speed",
    "/sys/class/net/*/operstate",
)
WANTED = (
    "^cpu |^[0-9]|^(MemTotal|MemFree|MemAvailable|Buffers|Cached|SwapTotal|SwapFree):"
    "|^(oom_kill|pswpin|pswpout) |^some |^full |^down|^ *[^ :]+: *[0-9]+ +[0-9]+ "
)
VIRTUAL_MOUNTS = (
    "squashfs|iso9660|erofs|cramfs|overlay|autofs|nfs|nfs4|cifs|smb3|9p|ceph|glusterfs|lustre|afs|fuse.*"
)
"""Types that are no disks of the host: images that are always full, and what hangs when its server does."""

_MOUNTS = (
    "set -- /;while read -r d m t x;do case $t in "
    f"{VIRTUAL_MOUNTS}) continue;;zfs);;*)case $d in //*)continue;;/*);;*)continue;;esac;;esac;"
    'case $m in /)continue;;*\\\\*)m=$(printf %b "$m");;esac;set -- "$@" "$m";done </proc/mounts;'
)
_ANSWERS = (
    f"grep -sE '{WANTED}' {' '.join(FILES)};"
    "case $q in *p*)printf '@%s p\\n' \"$n\";cat /proc/[0-9]*/stat 2>/dev/null;;esac;"
    f"case $q in *d*)printf '@%s d\\n' \"$n\";{_MOUNTS}"
    'df -Pk "$@" 2>/dev/null;printf \'@%s i\\n\' "$n";df -Pi "$@" 2>/dev/null;;esac'
)
ARGV = script(_ANSWERS)
"""What is started on a host. Its questions are `v`, with `d` for disks and `p` for processes."""

DISKS = "d"
PROCESSES = "p"
_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DF = re.compile(r"(\S.*?) +([0-9]{1,18}) +([0-9]{1,18}) +(-?[0-9]{1,18}) +(?:[0-9]+%|-) +(/.*)")
MOST = 256
"""Disks, and network interfaces, that are read of one answer."""
FIELDS = (
    "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice",
)  # fmt: skip
"""Columns of /proc/stat's first line, as psutil names them."""


class Link(Struct, gc=False):
    """A network interface's counters, by the names of `sources.support.interfaces.FIELDS`."""

    counters: dict[str, float] = {}
    speed: int = 0
    up: bool = True


class Vitals(Struct, kw_only=True):
    """What a host said; what it did not say is empty or zero."""

    times: dict[str, float] = {}
    cores: int = 0
    load: tuple[float, float, float] | None = None
    uptime: float = 0.0
    memory: dict[str, int] = {}
    """Bytes by /proc/meminfo's names."""
    counts: dict[str, int] = {}
    """/proc/vmstat's."""
    pressure: dict[str, str] = {}
    files: str = ""
    links: dict[str, Link] = {}
    disks: dict[str, Usage] | None = None
    """By mount point; None where they were not asked for."""
    processes: dict[int, tuple[str, float, int]] = {}
    """By number: name, ticks of CPU so far, pages of memory."""
    hung: bool = False
    """Whether `df` did not answer."""


def read_vitals(number: str, answer: bytes) -> Vitals:
    """Read an answer; what makes no sense in it is left out."""
    text = answer.decode("utf-8", "replace")
    vitals = Vitals()
    parts = re.split(rf"(?m)^@{re.escape(number)} ([a-z])\n", text)
    _read_files(vitals, parts[0])
    sections = dict(zip(parts[1::2], parts[2::2], strict=False))
    if PROCESSES in sections:
        vitals.processes = _processes(sections[PROCESSES])
    if DISKS in sections:
        vitals.disks = _disks(sections[DISKS], sections.get("i", ""))
    return vitals


def _read_files(vitals: Vitals, text: str) -> None:
    gathered: dict[str, list[str]] = {}
    for line in text.split("\n"):
        path, colon, rest = line.partition(":")
        if not colon:
            continue
        if path == "/proc/net/dev":
            _read_link(vitals, rest)
        elif path.startswith("/sys/class/net/"):
            _read_state(vitals, path, rest)
        else:
            gathered.setdefault(path, []).append(rest)
    for path, lines in gathered.items():
        try:
            _read_file(vitals, path, lines)
        except (ValueError, IndexError, OverflowError):
            continue


def _read_file(vitals: Vitals, path: str, lines: list[str]) -> None:
    match path:
        case "/proc/stat":
            if lines[0].startswith("cpu "):
                numbers = [_number(word) for word in lines[0].split()[1:]]
                vitals.times = dict(zip(FIELDS, numbers, strict=False))
        case "/proc/loadavg":
            one, five, fifteen = (_number(word) for word in lines[0].split()[:3])
            vitals.load = (one, five, fifteen)
        case "/proc/uptime":
            vitals.uptime = _number(lines[0].split()[0])
        case "/proc/meminfo":
            vitals.memory = {name: count * 1024 for name, count in _counts(lines, ":").items()}
        case "/proc/vmstat":
            vitals.counts = _counts(lines, " ")
        case "/proc/sys/fs/file-nr":
            vitals.files = lines[0]
        case "/sys/devices/system/cpu/online":
            vitals.cores = _cores(lines[0])
        case _ if path.startswith("/proc/pressure/"):
            vitals.pressure[path.rpartition("/")[2]] = "\n".join(lines)


def _number(word: str) -> float:
    """Read a number as the kernel writes one.

    Raises:
        ValueError: It is none.
    """
    if not _DECIMAL.fullmatch(word):
        raise ValueError(word)
    return float(word)


def _counts(lines: list[str], mark: str) -> dict[str, int]:
    found = {}
    for line in lines:
        name, _, rest = line.partition(mark)
        number = rest.split()[0] if rest.split() else ""
        if _WHOLE.fullmatch(number):
            found[name] = int(number)
    return found


def _cores(text: str) -> int:
    """Count the processors of a list such as `0-3,8`."""
    count = 0
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        count += max(0, int(last or first) - int(first)) + 1
    return count if count < 1 << 16 else 0


def _read_link(vitals: Vitals, line: str) -> None:
    name, colon, rest = line.strip().rpartition(":")
    words = rest.split()
    if not colon or len(words) < 16 or not all(map(_WHOLE.fullmatch, words)):
        return
    link = _link(vitals, name)
    if link is not None:
        numbers = [float(word) for word in words]
        link.counters = {
            "bytes_recv": numbers[0],
            "errin": numbers[2],
            "dropin": numbers[3],
            "bytes_sent": numbers[8],
            "errout": numbers[10],
            "dropout": numbers[11],
        }


def _read_state(vitals: Vitals, path: str, value: str) -> None:
    name, _, what = path.removeprefix("/sys/class/net/").partition("/")
    link = _link(vitals, name)
    if link is None:
        return
    if what == "operstate":
        link.up = value != "down"
    elif _WHOLE.fullmatch(value):
        link.speed = int(value)


def _link(vitals: Vitals, name: str) -> Link | None:
    if name not in vitals.links and len(vitals.links) >= MOST:
        return None
    return vitals.links.setdefault(name, Link())


def _disks(blocks: str, inodes: str) -> dict[str, Usage]:
    """Read `df -Pk` and `df -Pi`; a device that is mounted twice is told once."""
    free = {match[5]: (int(match[2]), int(match[4])) for match in _rows(inodes)}
    found: dict[str, Usage] = {}
    devices: set[str] = set()
    for match in _rows(blocks):
        device, mount = match[1], match[5]
        if device in devices or len(found) >= MOST:
            continue
        devices.add(device)
        total, used, left = (int(match[group]) * 1024 for group in (2, 3, 4))
        all_inodes, free_inodes = free.get(mount, (0, 0))
        if total:
            found[mount] = Usage(total, used, max(0, left), all_inodes, max(0, free_inodes))
    return found


def _rows(text: str) -> list[re.Match[str]]:
    matches = [_DF.fullmatch(line) for line in text.split("\n")[:4096] if len(line) < 4096]
    return [match for match in matches if match]


def _processes(text: str) -> dict[int, tuple[str, float, int]]:
    """Read proc(5)'s `stat` of each process; a name may hold anything, so it ends at the last parenthesis."""
    found: dict[int, tuple[str, float, int]] = {}
    for line in text.split("\n"):
        head, paren, rest = line.rpartition(")")
        number, _, name = head.partition(" (")
        words = rest.split()
        if not paren or len(words) < 22 or len(line) > 4096:
            continue
        user, system, pages = words[11], words[12], words[21]
        if all(map(_WHOLE.fullmatch, (number, user, system, pages))):
            found[int(number)] = (name, float(user) + float(system), int(pages))
    return found


def ignored(name: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a name fits one of some shell patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def available(memory: Mapping[str, int]) -> int:
    """Return the bytes that can be had without swapping; kernels before 3.14 do not say it themselves."""
    if "MemAvailable" in memory:
        return memory["MemAvailable"]
    return sum(memory.get(name, 0) for name in ("MemFree", "Buffers", "Cached"))
