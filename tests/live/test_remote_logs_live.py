"""Log files and journals of hosts over real SSH: rotated, cut short, and gone on with after a lost connection."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from cockpit.remote import Carrier
from cockpit.signals import Alert, HealthSample, HealthState, LogRecord, Signal
from cockpit.ssh.connections import Connections
from cockpit.testing import check_source
from sources.remote_files import RemoteFilesOptions, RemoteFilesSource
from sources.remote_journald import RemoteJournaldOptions, RemoteJournaldSource
from tests.helpers.ssh_lab import SshLab
from tests.live.hosts import running, two_does, until
from tests.live.servers import program
from tests.live.test_journald_live import REMOTE, Journal


class Heard:
    """An `emit` that keeps records in their order, and each host's last row."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.rows: dict[str, HealthSample] = {}

    async def __call__(self, batch: Sequence[Signal]) -> None:
        for signal in batch:
            if isinstance(signal, LogRecord):
                self.records.append(signal)
            elif isinstance(signal, HealthSample):
                self.rows[signal.subject] = signal

    async def replace(self, signal_type: type[Alert] | type[HealthSample], batch: Sequence[Signal]) -> None:
        await self(batch)

    @property
    def bodies(self) -> list[str]:
        return [record.body for record in self.records]

    def state(self, subject: str) -> HealthState | None:
        return self.rows[subject].state if subject in self.rows else None

    @property
    def gaps(self) -> list[str]:
        return [record.body for record in self.records if record.attributes.get("cockpit.gap")]


def files(
    connections: Connections, *paths: Path | str, host: str = "one", **options: object
) -> RemoteFilesSource:
    wanted = {"interval": 0.2, "hosts": (host,), "paths": tuple(map(str, paths)), "exclude": (), **options}
    source = RemoteFilesSource("logs", RemoteFilesOptions(**wanted))  # type: ignore[arg-type]
    source.remote = Carrier(connections)
    return source


def write(file: Path, *numbers: int, end: str = "\n") -> None:
    with file.open("a") as opened:
        opened.write("".join(f"line {number}{end}" for number in numbers))


def lines(*numbers: int) -> list[str]:
    return [f"line {number}" for number in numbers]


def following(folder: Path) -> list[bytes]:
    """Return the command lines of what still follows a folder's journal."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"--directory={folder}".encode() in process.read_bytes():
                found.append(process.read_bytes())
    return found


@pytest.fixture(params=["shell", "busybox"])
def host(request: pytest.FixtureRequest, lab: SshLab, connections: Connections, tmp_path: Path) -> str:
    """A host with what a Debian has, and one with BusyBox alone."""
    if request.param == "shell":
        return "one"
    busybox = program("busybox", "busybox")
    (tmp_path / "bin").mkdir()
    for applet in ("busybox", "sh", "ls", "dd", "printf"):
        (tmp_path / "bin" / applet).symlink_to(busybox)
    two_does(lab, f'export PATH={tmp_path}/bin; exec busybox sh -c "$SSH_ORIGINAL_COMMAND"')
    return "two"


async def test_files_are_followed_through_rotation_and_truncation(
    connections: Connections, host: str, tmp_path: Path
) -> None:
    file, odd = tmp_path / "app.log", tmp_path / "it's $(odd) & more.log"
    write(file, *range(3))
    write(odd, 1000)
    source, heard = files(connections, f"{tmp_path}/*.log", host=host), Heard()
    async with running(source, heard):
        await until(lambda: len(heard.records) == 4)
        assert sorted(heard.bodies) == sorted(lines(0, 1, 2, 1000))
        assert {record.resource["host.name"] for record in heard.records} == {host}
        assert {record.attributes["log.file.path"] for record in heard.records} == {str(file), str(odd)}
        write(file, 3, end="")
        write(file, 4)  # one line with the one before
        await until(lambda: "line 3line 4" in heard.bodies)
        write(file, 5)
        file.rename(f"{file}.1")
        write(Path(f"{file}.1"), 6)  # by a writer that does not know yet
        write(file, 7, 71)
        await until(lambda: "line 71" in heard.bodies)
        assert heard.bodies[-4:] == lines(5, 6, 7, 71)
        assert heard.gaps == []
        os.truncate(file, 0)
        write(file, 8)
        await until(lambda: heard.gaps and heard.bodies[-1] == "line 8")
        assert "app.log may be missing here: the file was" in heard.gaps[0]
    assert heard.state(f"files {host}") is HealthState.OK
    assert len(heard.bodies) == len(set(heard.bodies)), "nothing is told twice"


async def test_a_lost_connection_loses_and_repeats_no_line(
    lab: SshLab, connections: Connections, tmp_path: Path
) -> None:
    file = tmp_path / "app.log"
    write(file, *range(1000))
    source, heard = files(connections, file), Heard()
    async with running(source, heard):
        await until(lambda: len(heard.records) == 1000)
        write(file, 1000, end="")
        lab.cut()
        write(file, *range(1001, 1500))
        await until(lambda: heard.state("files one") is HealthState.DOWN)
        file.rename(tmp_path / "app.log-20260101")
        write(file, *range(1500, 3000))
        await until(lambda: heard.bodies[-1] == "line 2999")
        assert heard.gaps == []
        told = " ".join(heard.bodies).replace("line 1000line 1001", "line 1000 line 1001")
        assert told == " ".join(lines(*range(3000)))


@pytest.mark.parametrize("how", ["replaced", "shorter", "anew"])
async def test_what_can_not_be_known_to_be_whole_is_said(
    lab: SshLab, connections: Connections, tmp_path: Path, how: str
) -> None:
    file = tmp_path / "app.log"
    write(file, *range(100))
    source, heard = files(connections, file), Heard()
    async with running(source, heard):
        await until(lambda: len(heard.records) == 100)
        lab.cut()
        if how == "replaced":
            file.rename(tmp_path / "elsewhere")
            write(file, 100)
        else:
            os.truncate(file, 0)
            write(file, *range(100, 105 if how == "shorter" else 500))
        await until(lambda: heard.gaps and heard.bodies[-1].startswith("line "))
    assert len(heard.gaps) == 1 and heard.bodies.index(heard.gaps[0]) == 100
    assert heard.bodies[101] == "line 100", "what came after is told whole"


async def test_much_at_once_is_caught_up_with_up_to_a_bound(connections: Connections, tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    write(file, 0)
    source, heard = files(connections, file, catch_up_bytes=1 << 20), Heard()
    async with running(source, heard):
        await until(lambda: heard.records)
        write(file, *range(1, 50_001))
        await until(lambda: heard.bodies[-1] == "line 50000")
        assert heard.bodies == lines(*range(50_001)) and not heard.gaps
        write(file, *range(50_001, 200_001))
        await until(lambda: heard.bodies[-1] == "line 200000")
        assert "are left out" in heard.gaps[0]
        after = heard.bodies[heard.bodies.index(heard.gaps[0]) + 1 :]
        first = int(after[0].removeprefix("line "))
        assert after == lines(*range(first, 200_001)), "from the start of a line on"


async def test_only_the_end_of_what_is_there_is_read(connections: Connections, tmp_path: Path) -> None:
    file = tmp_path / "app.log"
    write(file, *range(100, 200))
    source, heard = files(connections, file, backfill_bytes=90), Heard()
    async with running(source, heard):
        await until(lambda: "line 199" in heard.bodies)
    assert heard.bodies == lines(*range(190, 200))


async def test_hostile_names_are_not_read(connections: Connections, tmp_path: Path) -> None:
    write(tmp_path / "a\n1 -r 1 0 0 9 Jan 1 00:00 secret.log", 1)
    write(tmp_path / "$(touch pwned).log", 2)
    (tmp_path / "fifo.log").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "fifo.log", stat.S_IRUSR)
    source, heard = files(connections, f"{tmp_path}/*.log"), Heard()
    async with running(source, heard):
        await until(lambda: heard.records and "files one" in heard.rows)
    assert heard.bodies == ["line 2"] and not list(tmp_path.rglob("pwned"))


async def test_the_files_contract(connections: Connections, tmp_path: Path) -> None:
    write(tmp_path / "app.log", 1)
    assert await files(connections, tmp_path / "app.log").check() == "1 of 1 hosts answer"
    await check_source(lambda: files(connections, tmp_path / "app.log"), seconds=1.0)


async def test_a_journal_is_gone_on_with_by_its_cursor(
    lab: SshLab, connections: Connections, tmp_path: Path
) -> None:
    program("journalctl", "systemd")
    if not Path(REMOTE).exists():
        pytest.skip("systemd-journal-remote is not installed (Debian package systemd-journal-remote)")
    journal = Journal(tmp_path)
    journal.write(*(f"entry {number}" for number in range(5)))
    options = RemoteJournaldOptions(hosts=("one",), interval=0.2, directory=str(tmp_path))
    source, heard = RemoteJournaldSource("journals", options), Heard()
    source.remote = Carrier(connections)
    assert await source.check() == "1 of 1 hosts answer"
    async with running(source, heard):
        await until(lambda: len(heard.records) == 5 and heard.state("journal one") is HealthState.OK)
        assert heard.records[0].resource["host.name"] == "one"
        assert heard.records[0].attributes["journald.hostname"] == "web-1"
        assert following(tmp_path)
        lab.cut()
        journal.write("entry 5", "entry 6")
        await until(lambda: heard.state("journal one") is HealthState.DOWN)
        await until(lambda: len(heard.records) >= 7)
        journal.write("entry 7")
        await until(lambda: len(heard.records) >= 8)
    assert heard.bodies == [f"entry {number}" for number in range(8)]
    await until(lambda: not following(tmp_path))  # nothing is left on the host, of the cut connection neither


async def test_a_host_without_a_journal_says_so(lab: SshLab, connections: Connections) -> None:
    two_does(lab, 'PATH=/nonexistent; eval "$SSH_ORIGINAL_COMMAND"')
    source = RemoteJournaldSource("journals", RemoteJournaldOptions(hosts=("two",), interval=0.2))
    source.remote = Carrier(connections)
    heard = Heard()
    async with running(source, heard):
        await until(lambda: heard.state("journal two") is HealthState.DOWN)
    assert "not found" in heard.rows["journal two"].reason and "127" in heard.rows["journal two"].reason


def test_a_cursor_from_a_host_is_taken_only_if_it_is_one() -> None:
    from sources.remote_journald import _CURSOR

    real = "s=" + "a" * 32 + ";i=1f;b=" + "b" * 32 + ";m=12ab;t=5f;x=9c"
    assert _CURSOR.fullmatch(real)
    for wrong in ("", "s=1", f"{real} --vacuum-size=1", f"{real}\n", "$(reboot)"):
        assert not _CURSOR.fullmatch(wrong)
