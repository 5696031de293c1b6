"""How many hosts are looked at, and what is made of what they say, with real shells of this machine as hosts."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.config import SourceEntry
from cockpit.config.options import read_options
from cockpit.errors import BadAnswer, CockpitError, ConfigErrors, SourceError
from cockpit.rules import RuleEngine
from cockpit.signals import HealthSample, HealthState
from sources.remote_host import RemoteHostOptions, RemoteHostSource
from sources.support.remote_shell import RemoteShell, held, script
from sources.support.remote_tail import read_listing
from sources.support.remote_vitals import ARGV, Vitals, available, read_vitals
from sources.support.storage import Usage
from tests.helpers.examples import examples
from tests.helpers.local_remote import LocalRemote
from tests.live.collect import Collected
from tests.live.hosts import running, until

SHELLS = [
    pytest.param(
        shell, marks=pytest.mark.skipif(not shutil.which(shell[0]), reason=f"{shell[0]} is not installed")
    )
    for shell in (
        ("dash", "-c"),
        ("bash", "-c"),
        ("busybox", "sh", "-c"),
        ("zsh", "-c"),
        ("fish", "-c"),
        ("csh", "-c"),
    )
]


def source(*names: str, remote: LocalRemote | None = None, **options: object) -> RemoteHostSource:
    wanted = {"interval": 0.1, "hosts": names or ("one",), **options}
    made = RemoteHostSource("hosts", msgspec.convert(wanted, RemoteHostOptions))
    made.remote = remote or LocalRemote()
    return made


@pytest.mark.parametrize("shell", SHELLS)
async def test_any_login_shell_will_do(shell: tuple[str, ...]) -> None:
    seen = Collected()
    async with running(source(remote=LocalRemote(*shell), processes=2), seen):
        await until(lambda: {"cpu one", "memory one", "disk / one"} <= seen.health.keys())
    assert seen.health["memory one"].details["MemTotal"]


@pytest.mark.skipif(not shutil.which("busybox"), reason="busybox is not installed")
async def test_nothing_but_busybox_is_needed(tmp_path: Path) -> None:
    busybox = shutil.which("busybox") or ""
    for applet in ("sh", "grep", "df", "cat", "printf"):
        (tmp_path / applet).symlink_to(busybox)
    line = ARGV[2].replace("PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin;", f"PATH={tmp_path};export PATH;")
    assert str(tmp_path) in line
    process = await asyncio.create_subprocess_exec(
        busybox, "sh", "-c", line, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(b"abc vdp\n")
    answer = out.split(b"\n@abc\n")[1].split(b"\n@abc.\n")[0]
    vitals = read_vitals("abc", answer)
    assert vitals.times and vitals.memory and vitals.cores == os.cpu_count() and vitals.load and vitals.uptime
    assert vitals.disks and vitals.disks["/"].inodes and os.getpid() in vitals.processes


async def test_connections_are_begun_a_few_at_a_time_and_a_group_is_its_members() -> None:
    remote, seen = LocalRemote(), Collected()
    remote.takes = 0.05
    async with running(source("web", remote=remote, at_once=3), seen):
        await until(lambda: sum(name.startswith("host web-") for name in seen.health) == 12)
    assert remote.most <= 3 and len(remote.started) == 12


async def test_hosts_that_are_down_hold_up_no_other() -> None:
    seen = Collected()
    many = [f"down-{number}" for number in range(40)]
    async with running(source(*many, "web", at_once=2), seen):
        await until(lambda: len([name for name in seen.health if name.startswith("host ")]) == 52)
    states = {name: row.state for name, row in seen.health.items() if name.startswith("host ")}
    assert all(
        state is (HealthState.DOWN if "down" in name else HealthState.OK) for name, state in states.items()
    )
    assert seen.health["host down-3"].reason == "connection refused (is sshd running there?)"


@pytest.mark.parametrize(
    ("behaves", "says"),
    [
        ("exit 3", "exit status 3"),
        ("kill -9 $$", "exit status -9"),
        ('while read -r n q; do printf \'\\n@%s\\nnothing\\n@%s.\\n\' "$n" "$n"; done', "only Linux"),
        ("while read -r n q; do printf '\\n@%s\\n' 1234; printf '\\n@%s.\\n' \"$n\"; done", "no beginning"),
    ],
)
async def test_a_host_that_answers_wrongly_harms_no_other(behaves: str, says: str) -> None:
    remote = LocalRemote(behaves=lambda host: behaves if host == "two" else "")
    seen = Collected()
    async with running(source("one", "two", remote=remote), seen):
        await until(lambda: {"host two", "cpu one"} <= seen.health.keys())
    assert seen.health["host one"].state is HealthState.OK
    assert seen.health["host two"].state is HealthState.DOWN and says in seen.health["host two"].reason


async def test_what_is_gone_goes_and_what_is_lost_is_unknown(tmp_path: Path) -> None:
    df = tmp_path / "df"
    df.write_text(
        "#!/bin/sh\necho head\necho '/dev/a 100 50 50 50% /'\n[ ! -e $0.more ]||echo '/dev/b 9 1 8 9% /b'\n"
    )
    df.chmod(0o755)
    Path(f"{df}.more").touch()
    remote = LocalRemote("sh", "-c", f'PATH={tmp_path}:$PATH; eval "$1"', "sh")
    seen = Collected()
    async with running(source("one", "two", remote=remote, disk_interval=0.05), seen):
        await until(lambda: "disk /b one" in seen.health and "cpu two" in seen.health)
        Path(f"{df}.more").unlink()
        await until(lambda: "disk /b one" not in seen.health and "disk /b two" not in seen.health)
        assert "cpu two" in seen.health and "disk / one" in seen.health


def told(made: RemoteHostSource, **vitals: object) -> dict[str, HealthSample]:
    return {sample.subject: sample for sample in made._samples("one", Vitals(**vitals), 0.01)}  # type: ignore[arg-type]


def test_rates_are_of_the_time_between_two_looks_on_the_host() -> None:
    made = source()
    first = {"user": 100.0, "idle": 100.0}
    assert "cpu one" not in told(made, uptime=1000.0, times=first, cores=4)
    second = told(made, uptime=1010.0, times={"user": 300.0, "idle": 200.0}, cores=4)
    assert second["cpu one"].value == pytest.approx(66.7)
    assert "cpu one" not in told(made, uptime=5.0, times={"user": 1.0, "idle": 9.0}, cores=4), (
        "it was restarted"
    )


def test_trouble_is_judged_as_on_this_host_and_alerts_as_there() -> None:
    made, gb = source(), 1 << 30
    samples = told(
        made,
        uptime=1000.0,
        times={"user": 1.0},
        cores=2,
        load=(9.0, 8.0, 7.0),
        memory={"MemTotal": 100 * gb, "MemAvailable": 2 * gb, "SwapTotal": 10 * gb, "SwapFree": gb},
        pressure={"io": "some avg10=80.00 avg60=70.00 avg300=60.00 total=1"},
        files="99 0 100",
        disks={"/": Usage(100, 98, 2, 0, 0), "/snap/x": Usage(1, 1, 0, 0, 0)},
    )
    states = {subject: str(sample.state) for subject, sample in samples.items()}
    assert states == {
        "load one": "degraded",
        "memory one": "down",
        "disk / one": "down",
        "swap one": "degraded",
        "pressure io one": "degraded",
        "file handles one": "down",
        "host one": "ok",
    }
    engine = RuleEngine(clock=lambda: 0)
    engine.feed("hosts", list(samples.values()))
    names = {alert.name for alert in engine.alerts(0)}
    assert {
        "HostLoadHigh",
        "HostMemoryLow",
        "HostDiskFull",
        "HostSwapFull",
        "HostPressure",
        "HostFileHandles",
    } <= names


def test_quiet_vitals_have_no_row_before_their_first_trouble() -> None:
    made = source()
    calm = {"some avg10=0.00 avg60=1.00 avg300=0.00 total=1"}
    assert "pressure cpu one" not in told(
        made, uptime=1.0, times={"user": 1.0}, pressure={"cpu": next(iter(calm))}
    )


def test_an_old_kernel_does_not_say_what_is_available() -> None:
    assert available({"MemFree": 1, "Buffers": 2, "Cached": 3}) == 6
    assert available({"MemFree": 1, "MemAvailable": 5}) == 5


def test_names_of_processes_may_hold_anything() -> None:
    stat = "7 (a) b (c)) S" + " 0" * 10 + " 30 12" + " 0" * 8 + " 99 0\n"
    vitals = read_vitals("ab", b"\n@ab p\n" + stat.encode())
    assert vitals.processes == {7: ("a) b (c)", 42.0, 99)}


PATHS = ("/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/meminfo", "/proc/vmstat", "/proc/net/dev",
         "/proc/pressure/io", "/proc/sys/fs/file-nr", "/sys/devices/system/cpu/online",
         "/sys/class/net/eth0/speed", "/sys/class/net/eth0/operstate")  # fmt: skip
NAMES = (
    "",
    "cpu",
    "MemTotal:",
    "MemAvailable:",
    "SwapTotal:",
    "oom_kill",
    "eth0:",
    "some avg60=",
    "/dev/a",
    "7 (x) S",
)
WORDS = st.sampled_from(
    ("0", "1", "-1", "nan", "inf", "1e999", "9" * 15, "9" * 40, "²", "٣", "0-9999", "1%", "/", "kB", "é")
)
LINES = st.one_of(
    st.builds(
        lambda path, name, words: f"{path}:{name} {' '.join(words)}\n",
        st.sampled_from((*PATHS, "")),
        st.sampled_from(NAMES),
        st.lists(WORDS, max_size=24),
    ),
    st.builds(
        lambda name, words: f"{name} {' '.join(words)}\n",
        st.sampled_from(NAMES),
        st.lists(WORDS, max_size=24),
    ),
    st.sampled_from(("@ab d\n", "@ab i\n", "@ab p\n")),
)
TEXT = st.one_of(
    st.binary(max_size=200), st.lists(LINES, max_size=20).map(lambda lines: "".join(lines).encode())
)


@given(TEXT)
@settings(max_examples=examples(80), deadline=None)
def test_no_answer_is_too_odd_to_be_read(answer: bytes) -> None:
    made = source()
    for _ in range(2):
        made._samples("one", read_vitals("ab", answer), 0.0)
    read_listing("ab", answer)


@given(
    st.lists(
        st.sampled_from(
            [b"f /a\n", b"o /b\n", b"x /c\n", b"@ab\n", b"1 -r 1 0 0 5 a b c /a\n", b"\xff", b"\n"]
        )
    )
)
def test_no_list_of_files_is(parts: list[bytes]) -> None:
    listing = read_listing("ab", b"".join(parts))
    assert {entry.path for entry in listing.entries} <= {"/a", "/b"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hosts": []}, "hosts is empty"),
        ({"hosts": ["-oProxyCommand=x"]}, "no target's name"),
        ({"hosts": ["a b"]}, "no target's name"),
        ({}, "hosts"),
    ],
)
def test_mistakes_in_the_options_are_told(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigErrors, match=says):
        read_options(SourceEntry(name="x", kind="remote-host", options=options), RemoteHostOptions)


async def test_a_source_without_a_way_says_so() -> None:
    alone = RemoteHostSource("hosts", RemoteHostOptions(hosts=("one",)))
    with pytest.raises(SourceError, match="no way over SSH"):
        await alone.check()


async def ask(behaves: str, limit: int = 1000) -> bytes:
    remote = LocalRemote(behaves=lambda _: behaves)
    program = await remote.start("one", ("true",), stdin=True)
    try:
        _, answer = await RemoteShell("one", program).ask("v", timeout=1.0, limit=limit)
        return answer
    finally:
        program.close()
        program.process.terminate() if program.process.returncode is None else None
        await program.ended()


@pytest.mark.parametrize(
    ("behaves", "says"),
    [
        ("true", "exit status 0"),
        ("echo Account closed; exit 1", r"Account closed \(exit status 1\)"),
        ("read -r n q; printf '\\n@%s.\\n' \"$n\"", "no beginning"),
        ("exec yes", "longer than"),
        ("exec sleep 9", "no answer within 1 s"),
    ],
)
async def test_a_shell_that_does_not_answer_says_why(behaves: str, says: str) -> None:
    with pytest.raises(CockpitError, match=says):
        await ask(behaves)


async def test_what_else_the_account_writes_is_no_answer() -> None:
    behaves = (
        'echo Welcome; read -r n q; echo noise; printf \'\\n@%s\\n\\0\\n@1234.\\nbytes\\n@%s.\\n\' "$n" "$n"'
    )
    assert await ask(behaves) == b"\0\n@1234.\nbytes"


async def test_an_answer_is_bounded() -> None:
    with pytest.raises(BadAnswer):
        await ask(script("yes x | head -c 200000")[2], limit=1000)


@pytest.mark.parametrize("shell", SHELLS[:3])
@pytest.mark.parametrize(("argv", "status"), [(("sleep", "60"), 143), (("sh", "-c", "exit 7"), 7)])
async def test_a_program_ends_when_its_input_does(
    shell: tuple[str, ...], argv: tuple[str, ...], status: int
) -> None:
    program = await LocalRemote(*shell).start("one", held(argv), stdin=True)
    if status == 143:
        await asyncio.sleep(0.1)
        program.close()
    await until(lambda: program.process.returncode is not None, seconds=5)
    assert program.process.returncode == status
    program.close()
