"""Connections against real sshd: shared, bounded, and clear about what went wrong and at which stage."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cockpit.errors import ChannelRefused, HostUnreachable, LoginRefused
from cockpit.ssh.connections import Connections
from cockpit.ssh.program import Size
from cockpit.ssh.status import HopState
from tests.helpers.ssh_hops import QUICK, connecting, ended, hop, run, until, until_state, ways
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.helpers.tcp_proxy import tcp_proxy
from tests.helpers.tcp_server import free_port, tcp_server
from tests.live.servers import program

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    program("ssh", "openssh-client")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
async def connections(lab: SshLab) -> AsyncIterator[Connections]:
    async with connecting(ways(lab)) as connections:
        yield connections


async def test_a_program_behind_a_bastion_gives_its_outputs_and_status(connections: Connections) -> None:
    started = await connections.start("one", "echo out; echo err >&2; exit 3")
    pieces = [piece async for piece in started.pieces()]
    assert sorted(pieces) == [(1, b"out\n"), (2, b"err\n")]
    assert (await started.wait()).exit_status == 3
    await until_state(connections, "one", HopState.UP)
    assert [status.state for status in connections.hops()] == [HopState.UP, HopState.UP]


async def test_first_uses_at_once_make_one_connection_a_hop(lab: SshLab) -> None:
    async with tcp_proxy(lab.port) as proxy, connecting(ways(lab, {"bastion": proxy.port})) as connections:
        both = [f"echo {number}" for number in range(6)]
        answers = await asyncio.gather(
            *(run(connections, host, line) for line in both for host in ("one", "two", "bastion"))
        )
        assert all(ending.exit_status == 0 for _, ending in answers)
        assert proxy.accepted == 1
        assert [status.connections for status in connections.hops()] == [1, 1, 1]


async def test_one_who_stops_waiting_stops_nobody_else(lab: SshLab) -> None:
    async with tcp_proxy(lab.port) as proxy, connecting(ways(lab, {"bastion": proxy.port})) as connections:
        proxy.freeze()
        first = asyncio.ensure_future(connections.start("one", "true"))
        second = asyncio.ensure_future(run(connections, "one", "echo here"))
        await until_state(connections, "bastion", HopState.CONNECTING)
        await until(lambda: proxy.accepted)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        proxy.thaw()
        assert (await second)[0] == b"here\n"
        assert proxy.accepted == 1


async def test_when_nobody_waits_any_more_connecting_ends(lab: SshLab) -> None:
    async with tcp_proxy(lab.port) as proxy, connecting(ways(lab, {"bastion": proxy.port})) as connections:
        proxy.freeze()
        started = asyncio.ensure_future(connections.start("one", "true"))
        await until_state(connections, "bastion", HopState.CONNECTING)
        started.cancel()
        with pytest.raises(asyncio.CancelledError):
            await started
        await until_state(connections, "bastion", HopState.IDLE)
        proxy.thaw()
        assert (await run(connections, "one", "echo here"))[0] == b"here\n"


async def test_the_time_that_a_hop_takes_to_answer_is_measured(lab: SshLab) -> None:
    async with tcp_proxy(lab.port) as proxy:
        find = ways(lab, {"bastion": proxy.port}, server_alive_interval=0.2)
        async with connecting(find) as connections:
            await run(connections, "bastion", "true")
            proxy.delay = 0.04
            await until(lambda: 80 <= getattr(hop(connections, "bastion"), "latency_ms", 0) < 250)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", "accepted the connection and said nothing within 1 s"),
        (b"please hold the line\r\n", "accepted the connection and said nothing within 1 s"),
        (b"SSH-2.0-Slow_1\r\n", "stopped answering in the key exchange within 1 s"),
    ],
)
async def test_a_server_that_hangs_early_is_told_by_its_stage(lab: SshLab, said: bytes, told: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await asyncio.sleep(60)

    async with (
        tcp_server(talk) as port,
        connecting(ways(lab, {"bastion": port}, connect_timeout=1)) as connections,
    ):
        began = time.monotonic()
        with pytest.raises(HostUnreachable, match=told) as caught:
            await connections.start("bastion", "true")
        assert caught.value.where == "bastion" and caught.value.remedy
        assert time.monotonic() - began < 10
        status = await until_state(connections, "bastion", HopState.DOWN)
        assert told in status.error


@pytest.mark.parametrize(
    ("bytes_", "told"), [(300, "in the key exchange"), (1700, "in the key exchange|finish the login")]
)
async def test_a_network_that_swallows_what_follows_is_told_by_its_stage(
    lab: SshLab, bytes_: int, told: str
) -> None:
    async with (
        tcp_proxy(lab.port) as proxy,
        connecting(ways(lab, {"bastion": proxy.port}, connect_timeout=1)) as connections,
    ):
        proxy.let_through = bytes_
        with pytest.raises(HostUnreachable, match=told):
            await connections.start("bastion", "true")


async def test_a_host_that_never_answers_behind_a_bastion_is_told_as_such(lab: SshLab) -> None:
    find = ways(lab)

    async def elsewhere(name: str) -> tuple[object, ...]:
        *before, last = await find(name)
        return (*before, replace(last, hostname="127.0.0.1", port=free_port()))

    async with connecting(elsewhere) as connections:  # type: ignore[arg-type]
        with pytest.raises(HostUnreachable, match="connection refused, seen from the hop before it"):
            await connections.start("one", "true")
        status = await until_state(connections, "one", HopState.DOWN)
        bastion = hop(connections, "bastion")
        assert bastion is not None and bastion.state is HopState.UP and not bastion.error
        assert "bastion" not in status.error.replace("the hop before", "")


async def test_a_bastion_that_is_down_is_told_for_what_lies_behind(lab: SshLab) -> None:
    async with connecting(ways(lab, {"bastion": free_port()})) as connections:
        with pytest.raises(HostUnreachable, match=r"one: through bastion, which is down: connection refused"):
            await connections.start("one", "true")
        status = await until_state(connections, "one", HopState.DOWN)
        assert status.error == "through bastion, which is down"
        bastion = hop(connections, "bastion")
        assert bastion is not None and "connection refused" in bastion.error


async def test_an_unknown_name_is_told_and_forgotten_after_a_while(lab: SshLab) -> None:
    async with connecting(ways(lab), times=replace(QUICK, never_up=0.5)) as connections:
        await run(connections, "bastion", "true")
        with pytest.raises(HostUnreachable, match="its name"):
            await connections.start("nowhere.invalid", "true")
        await until_state(connections, "nowhere.invalid", HopState.DOWN)
        await until(lambda: hop(connections, "nowhere.invalid") is None)
        assert hop(connections, "bastion") is not None


async def test_ciphers_that_neither_has_are_told(lab: SshLab) -> None:
    async with connecting(
        ways(lab, ciphers=("aes128-ctr", "no-such-cipher"), macs=("^hmac-sha2-*",))
    ) as connections:
        assert (await run(connections, "one", "true"))[1].exit_status == 0
    async with connecting(ways(lab, ciphers=("no-such-cipher",))) as connections:
        with pytest.raises(HostUnreachable, match="nothing that Ciphers names can be done here") as caught:
            await connections.start("bastion", "true")
        assert "aes" in caught.value.remedy
    async with connecting(ways(lab, ciphers=("3des-cbc",))) as connections:
        with pytest.raises(
            HostUnreachable, match="no encryption algorithm that both have; it offers"
        ) as caught:
            await connections.start("bastion", "true")
        assert "Ciphers" in caught.value.remedy


async def test_the_fastest_cipher_goes_first_where_nothing_is_said(connections: Connections) -> None:
    async def cipher(pool: object) -> object:
        connection = await (await pool.hop("bastion")).connected()  # type: ignore[attr-defined]
        return connection.get_extra_info("send_cipher")

    assert await connections.on_loop(cipher) == "aes128-gcm@openssh.com"


async def test_compression_is_used_where_it_is_asked_for(lab: SshLab) -> None:
    async def compression(pool: object) -> object:
        connection = await (await pool.hop("bastion")).connected()  # type: ignore[attr-defined]
        return connection.get_extra_info("send_compression")

    for wanted, used in ((False, "none"), (True, "zlib@openssh.com")):
        async with connecting(ways(lab, compression=wanted)) as connections:
            assert await connections.on_loop(compression) == used
            assert (await run(connections, "bastion", "seq 1000"))[0].count(b"\n") == 1000


async def test_a_login_that_is_refused_is_no_lack_of_network(lab: SshLab) -> None:
    async with connecting(ways(lab, identity_files=())) as connections:
        with pytest.raises(LoginRefused, match="through bastion, which is down: permission denied"):
            await connections.start("one", "true")


async def test_the_familys_addresses_alone_are_tried(lab: SshLab) -> None:
    async with connecting(ways(lab, address_family="inet6")) as connections:
        with pytest.raises(HostUnreachable):
            await connections.start("bastion", "true")
    async with connecting(ways(lab, address_family="inet", bind_address="127.0.0.9")) as connections:
        out, _ = await run(connections, "bastion", "echo $SSH_CONNECTION")
        assert out.split()[0] in (b"127.0.0.9", b"UNKNOWN")
    async with connecting(ways(lab, bind_address="192.0.2.1")) as connections:
        with pytest.raises(HostUnreachable, match="no such address on this machine"):
            await connections.start("bastion", "true")


async def test_a_proxy_command_carries_the_connection(lab: SshLab, tmp_path: Path) -> None:
    script = tmp_path / "proxy.py"
    script.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
        "open(sys.argv[3], 'w').write(str(os.getpid()))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    pid_file = tmp_path / "pid"
    command = f"python3 {script} 127.0.0.1 {lab.port} {pid_file}"
    async with connecting(ways(lab, proxy_command=command)) as connections:
        assert (await run(connections, "bastion", "echo over"))[0] == b"over\n"
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
    await until(lambda: not _lives(pid), what="the command's end")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sh -c 'echo no way >&2; exit 1'", r"ProxyCommand said: no way"),
        ("/nonexistent/proxy", r"ProxyCommand said: .*[Nn]o such file|not found"),
        ("sleep 60", r"said nothing within 1 s"),
        ("printf '\\033]0;evil\\007' >&2; exit", "."),
    ],
)
async def test_a_proxy_command_that_fails_is_told_in_its_words(lab: SshLab, command: str, told: str) -> None:
    async with connecting(ways(lab, proxy_command=command, connect_timeout=1)) as connections:
        with pytest.raises(HostUnreachable, match=told) as caught:
            await connections.start("bastion", "true")
        assert str(caught.value).isprintable()


async def test_variables_are_sent_as_far_as_the_server_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("sshd", "openssh-server")
    monkeypatch.setenv("LC_COCKPIT", "sent")
    monkeypatch.setenv("SECRET", "kept")
    with ssh_lab(tmp_path, target="AcceptEnv LC_* FIXED SECRET\n") as lab:
        find = ways(lab, send_env=("LC_*",), set_env=("FIXED=a b",))
        async with connecting(find) as connections:
            out, _ = await run(connections, "one", "echo $LC_COCKPIT/$FIXED/$SECRET")
            assert out == b"sent/a b/\n"


async def test_a_host_that_allows_few_sessions_gets_more_connections_and_then_a_clear_error(
    tmp_path: Path,
) -> None:
    program("sshd", "openssh-server")
    with ssh_lab(tmp_path, target="MaxSessions 2\n") as lab:
        async with connecting(ways(lab), times=replace(QUICK, session=1.0, keepalive=0.3)) as connections:
            started = await asyncio.gather(*(connections.start("one", "cat", stdin=True) for _ in range(8)))
            await until(lambda: getattr(hop(connections, "one"), "sessions", 0) == 8, what="8 sessions")
            assert getattr(hop(connections, "one"), "connections", 0) == 4
            with pytest.raises(ChannelRefused, match="allows no more sessions: 8 are open") as caught:
                await connections.start("one", "true")
            assert "MaxSessions" in caught.value.remedy
            waiting = asyncio.ensure_future(run(connections, "one", "echo next"))
            await asyncio.sleep(0.1)
            started[0].write_eof()
            assert (await waiting)[0] == b"next\n"
            for each in started:
                each.write_eof()
            assert [(await ended(each))[1].exit_status for each in started] == [0] * 8
            await until(lambda: getattr(hop(connections, "one"), "connections", 0) == 1, what="one left")


async def test_a_host_that_allows_no_session_says_so_at_once(tmp_path: Path) -> None:
    program("sshd", "openssh-server")
    with ssh_lab(tmp_path, bastion="MaxSessions 0\n") as lab:
        async with connecting(ways(lab)) as connections:
            began = time.monotonic()
            with pytest.raises(ChannelRefused, match="it gives no session"):
                await connections.start("bastion", "true")
            assert time.monotonic() - began < 4
            assert (await run(connections, "one", "echo on"))[0] == b"on\n"


async def test_what_is_left_running_does_not_hold_the_end(connections: Connections) -> None:
    began = time.monotonic()
    out, ending = await run(connections, "one", "sleep 30 & echo done")
    assert out == b"done\n" and ending.exit_status == 0 and ending.left_behind
    assert time.monotonic() - began < 20


async def test_late_output_of_a_program_that_ended_is_not_lost(connections: Connections) -> None:
    out, ending = await run(connections, "one", "(sleep 0.7; echo late) & echo done")
    assert out == b"done\nlate\n" and ending.exit_status == 0 and not ending.left_behind


async def test_a_slow_reader_holds_the_program_up(connections: Connections) -> None:
    started = await connections.start("bastion", "head -c 60000000 /dev/zero")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.sleep(1.0)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 60_000, f"{grown} KiB more while nobody reads"
    assert not started.over
    total = 0
    async for _, data in started.pieces():
        total += len(data)
    assert total == 60_000_000
    assert (await started.wait()).exit_status == 0


async def test_a_program_with_a_terminal_is_hung_up_when_it_is_closed(connections: Connections) -> None:
    started = await connections.start("bastion", "echo $$; exec sleep 300", terminal=Size(80, 24))
    pieces = started.pieces()
    pid = int((await anext(pieces))[1])
    assert _lives(pid)
    started.close()
    await until(lambda: not _lives(pid), what="the hang-up")


async def test_starting_that_is_cancelled_starts_nothing(lab: SshLab, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with tcp_proxy(lab.port) as proxy, connecting(ways(lab, {"bastion": proxy.port})) as connections:
        await run(connections, "bastion", "true")
        proxy.delay = 0.15
        started = asyncio.ensure_future(connections.start("bastion", f"touch {mark}"))
        await asyncio.sleep(0.05)
        started.cancel()
        with pytest.raises(asyncio.CancelledError):
            await started
        await asyncio.sleep(0.5)
        proxy.delay = 0.0
        await asyncio.sleep(0.5)
        assert await connections.on_loop(_channels) == 0
        assert not mark.exists()


async def _channels(pool: object) -> int:
    connection = await (await pool.hop("bastion")).connected()  # type: ignore[attr-defined]
    return len(connection._channels)
