"""Connections that are lost, freeze or hang: told in bounded time with the stage, and back by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import asyncssh
import pytest
from msgspec.structs import replace

from cockpit.errors import ChannelRefused, ConnectionLost, HostUnreachable, LoginRefused
from cockpit.ssh.asking import Nobody, Question
from cockpit.ssh.connections import Connections
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.route import Route
from cockpit.ssh.status import HopState
from tests.helpers.ssh_hops import QUICK, connecting, ended, hop, run, until, until_state, ways
from tests.helpers.ssh_lab import SshLab, ssh_lab
from tests.helpers.tcp_proxy import TcpProxy, tcp_proxy
from tests.live.servers import program


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    program("sshd", "openssh-server")
    program("ssh", "openssh-client")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
async def proxy(lab: SshLab) -> AsyncIterator[TcpProxy]:
    async with tcp_proxy(lab.port) as proxy:
        yield proxy


@pytest.fixture
async def connections(lab: SshLab, proxy: TcpProxy) -> AsyncIterator[Connections]:
    async with connecting(ways(lab, {"bastion": proxy.port})) as connections:
        yield connections


async def test_a_cut_in_the_middle_of_a_command_is_told_at_once_with_all_that_came_before(
    connections: Connections, proxy: TcpProxy
) -> None:
    started = await connections.start("one", "seq 200000; sleep 60")

    def came() -> int:
        """Count what is held for a reader, and what asyncssh holds beyond that."""
        return started._came + sum(len(data) for data, _ in tuple(started._channel._recv_buf))

    await until(lambda: came() >= 1_288_894, what="all lines")
    proxy.cut()
    out, ending = await ended(started)
    assert out.count(b"\n") == 200_000
    assert ending.exit_status is None and "one: the connection was lost" in ending.lost


async def test_a_network_that_is_gone_is_noticed_by_the_keep_alive(lab: SshLab, proxy: TcpProxy) -> None:
    find = ways(lab, {"bastion": proxy.port}, server_alive_interval=0.3, server_alive_count_max=3)
    async with connecting(find) as connections:
        started = await connections.start("one", "sleep 60")
        proxy.freeze()
        status = await until_state(connections, "bastion", HopState.LATE)
        assert not status.error
        async with asyncio.timeout(20):
            assert (await ended(started))[1].lost
        status = await until_state(connections, "bastion", HopState.DOWN)
        assert "answered no keep-alive" in status.error
        behind = await until_state(connections, "one", HopState.DOWN)
        assert behind.error == "through bastion, which is down"


async def test_after_a_cut_everything_comes_back_by_itself(connections: Connections, proxy: TcpProxy) -> None:
    await run(connections, "one", "true")
    before = proxy.accepted
    proxy.cut()
    await until_state(connections, "bastion", HopState.DOWN)
    await until_state(connections, "bastion", HopState.UP)
    await until_state(connections, "one", HopState.UP)
    assert proxy.accepted == before + 1


async def test_a_hop_that_stays_away_is_tried_with_growing_pauses_and_comes_back(
    connections: Connections, proxy: TcpProxy
) -> None:
    await run(connections, "one", "true")
    await proxy.refuse()
    down = await until_state(connections, "bastion", HopState.DOWN)
    await asyncio.sleep(1.0)
    still = hop(connections, "bastion")
    assert still is not None and still.state is HopState.DOWN and still.since_ns == down.since_ns
    assert "connection refused" in still.error
    await proxy.accept()
    await until_state(connections, "one", HopState.UP)


async def test_a_ten_minute_outage_at_a_hundredth_of_its_length(lab: SshLab, proxy: TcpProxy) -> None:
    """Times of the defaults divided by a hundred: 6 s without network, tried again at most 0.3 s apart."""
    times = replace(
        QUICK, connect=2.0, keepalive=0.15, first_wait=0.01, longest_wait=0.3, wanted=18.0, answer=0.5
    )
    async with connecting(ways(lab, {"bastion": proxy.port}), times=times) as connections:
        assert (await run(connections, "one", "echo before"))[0] == b"before\n"
        proxy.freeze()
        await until_state(connections, "one", HopState.DOWN)
        until_ = time.monotonic() + 6.0
        while time.monotonic() < until_:
            for name in ("bastion", "one"):
                status = hop(connections, name)
                assert status is not None and status.state is HopState.DOWN and status.error
            await asyncio.sleep(0.1)
        proxy.cut()
        proxy.thaw()
        await until_state(connections, "one", HopState.UP)
        assert (await run(connections, "one", "echo after"))[0] == b"after\n"


async def test_the_next_use_tries_at_once(lab: SshLab, proxy: TcpProxy) -> None:
    times = replace(QUICK, first_wait=90.0, longest_wait=90.0)
    async with connecting(ways(lab, {"bastion": proxy.port}), times=times) as connections:
        await run(connections, "one", "true")
        proxy.cut()
        await until_state(connections, "one", HopState.DOWN)
        began = time.monotonic()
        assert (await run(connections, "one", "echo back"))[0] == b"back\n"
        assert time.monotonic() - began < 40


async def test_what_nobody_wanted_for_long_stays_down(lab: SshLab, proxy: TcpProxy) -> None:
    async with connecting(
        ways(lab, {"bastion": proxy.port}), times=replace(QUICK, wanted=0.2)
    ) as connections:
        await run(connections, "bastion", "true")
        await asyncio.sleep(0.4)
        before = proxy.accepted
        proxy.cut()
        await until_state(connections, "bastion", HopState.DOWN)
        await asyncio.sleep(0.5)
        assert proxy.accepted == before
        assert (await run(connections, "bastion", "echo back"))[0] == b"back\n"


async def test_a_connection_that_did_not_outlive_this_machines_sleep_is_found_out_soon(
    lab: SshLab, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cockpit.ssh.link.SLICE_S", 0.2)
    slept = 0.0
    times = replace(QUICK, keepalive=60.0, woken=0.3, passed=lambda: time.monotonic() + slept)
    async with connecting(ways(lab, {"bastion": proxy.port}), times=times) as connections:
        await run(connections, "bastion", "true")
        proxy.freeze()
        slept = 3600.0
        began = time.monotonic()
        status = await until_state(connections, "bastion", HopState.DOWN)
        assert "slept" in status.error and time.monotonic() - began < 25
        proxy.cut()
        proxy.thaw()
        assert (await run(connections, "bastion", "echo awake"))[0] == b"awake\n"


async def test_a_server_that_lets_in_and_throws_out_is_not_hammered(lab: SshLab, proxy: TcpProxy) -> None:
    async with connecting(ways(lab, {"bastion": proxy.port})) as connections:
        await run(connections, "bastion", "true")
        began, before = time.monotonic(), proxy.accepted
        while time.monotonic() < began + 1.2:
            proxy.cut()
            await asyncio.sleep(0.02)
        assert proxy.accepted - before < 12


async def test_closing_while_it_connects_ends_the_waiting(connections: Connections, proxy: TcpProxy) -> None:
    proxy.freeze()
    started = asyncio.ensure_future(connections.start("one", "true"))
    await until_state(connections, "bastion", HopState.CONNECTING)
    await connections.close()
    with pytest.raises(ConnectionLost, match="the connections were closed"):
        await started
    proxy.thaw()
    assert (await run(connections, "one", "echo anew"))[0] == b"anew\n"


class Slow(asyncssh.SSHServer):
    """A server that lets everybody in, and hangs at a stage.

    Attributes:
        password: Whether to ask for a password rather than let everybody in.
    """

    password = False
    hang_at = ""

    def begin_auth(self, username: str) -> object:  # type: ignore[override]
        """Hang, let in, or ask."""
        if self.hang_at == "login":
            return asyncio.sleep(60, result=True)
        return self.password

    def password_auth_supported(self) -> bool:
        """Say so."""
        return self.password

    def validate_password(self, username: str, password: str) -> bool:
        """Take the right one."""
        return password == "right"

    def session_requested(self) -> object:  # type: ignore[override]
        """Hang, or give one."""
        if self.hang_at == "open":
            return asyncio.sleep(60, result=False)
        return _Session(self.hang_at)


class _Session(asyncssh.SSHServerSession[str]):
    def __init__(self, hang_at: str) -> None:
        self._hang_at = hang_at
        self._channel: asyncssh.SSHServerChannel[str] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[str]) -> None:
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        if self._hang_at == "exec":
            return cast(bool, None)  # which asyncssh takes for an answer to come
        return self._hang_at != "refuse"

    def session_started(self) -> None:
        assert self._channel is not None
        self._channel.write("done")
        self._channel.exit(0)


class Server:
    """A `Slow` server of the test's own, and the way to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.logins = 0
        self.hang_at = ""
        self.password = False
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._acceptor: asyncssh.SSHAcceptor | None = None

    async def start(self) -> None:
        def made() -> Slow:
            self.logins += 1
            server = Slow()
            server.hang_at, server.password = self.hang_at, self.password
            return server

        self._acceptor = await asyncssh.listen(
            "127.0.0.1", self.port, server_factory=made, server_host_keys=[self._key]
        )
        self.port = self._acceptor.get_port()
        key = self._key.export_public_key().decode()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")

    async def stop(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()

    async def find(self, name: str) -> Route:
        return (
            HostConfig(
                name=name,
                hostname="127.0.0.1",
                user="me",
                port=self.port,
                user_known_hosts_files=(str(self.folder / "known_hosts"),),
                connect_timeout=1.0,
            ),
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_a_server_that_hangs_in_the_login_is_told_so(server: Server) -> None:
    server.hang_at = "login"
    async with connecting(server.find, times=replace(QUICK, answer=1.0)) as connections:
        with pytest.raises(HostUnreachable, match="it did not finish the login within 1 s"):
            await connections.start("host", "true")


async def test_a_server_that_never_answers_the_wish_for_a_session_is_told_so(server: Server) -> None:
    server.hang_at = "open"
    async with connecting(server.find, times=replace(QUICK, answer=1.0)) as connections:
        with pytest.raises(ChannelRefused, match="did not answer within 1 s when asked for a session"):
            await connections.start("host", "true")
        await until(lambda: getattr(hop(connections, "host"), "sessions", 1) == 0)


async def test_a_program_that_may_have_been_started_is_never_said_not_to_be(server: Server) -> None:
    server.hang_at = "exec"
    async with connecting(server.find, times=replace(QUICK, answer=1.0)) as connections:
        started = await connections.start("host", "true")
        ending = await started.wait()
        assert ending.lost == "host: it did not answer within 1 s when asked to start it"


async def test_a_server_that_starts_nothing_is_told_so(server: Server) -> None:
    server.hang_at = "refuse"
    async with connecting(server.find, times=replace(QUICK, answer=1.0)) as connections:
        with pytest.raises(ChannelRefused, match="does not start what was asked for"):
            await connections.start("host", "true")


class Person(Nobody):
    """Takes its time, and knows the password.

    Attributes:
        asked: How often it was.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked = 0
        self._seconds = seconds

    async def secret(self, question: Question) -> str | None:
        """Think, and answer."""
        self.asked += 1
        await asyncio.sleep(self._seconds)
        return "right"


async def test_the_clock_stands_while_a_person_is_asked(server: Server) -> None:
    server.password = True
    person = Person(1.5)
    async with connecting(server.find, person) as connections:
        assert (await run(connections, "host", "true"))[0] == b"done"
    assert person.asked == 1


async def test_nobody_is_asked_by_a_connection_that_comes_back_by_itself(server: Server) -> None:
    server.password = True
    person = Person()
    async with tcp_proxy(server.port) as proxy:
        direct = server.find

        async def find(name: str) -> Route:
            (config,) = await direct(name)
            return (replace(config, port=proxy.port, host_key_alias=f"[127.0.0.1]:{server.port}"),)

        async with connecting(find, person) as connections:
            await run(connections, "host", "true")
            logins = server.logins
            proxy.cut()
            status = await until_state(connections, "host", HopState.DOWN)
            await until(
                lambda: "waits for you: it wants a password" in getattr(hop(connections, "host"), "error", "")
            )
            await asyncio.sleep(0.6)
            assert person.asked == 1 and server.logins == logins + 1
            assert getattr(hop(connections, "host"), "since_ns", 0) == status.since_ns
            assert (await run(connections, "host", "true"))[0] == b"done"
            assert person.asked == 2


async def test_a_source_asks_once_and_hammers_no_login(server: Server) -> None:
    server.password = True
    person = Tired()
    async with connecting(server.find, person, times=replace(QUICK, refused=0.8)) as connections:
        for _ in range(3):
            with pytest.raises(LoginRefused):
                await connections.dial("host", "127.0.0.1", 9)
        asked = person.asked
        assert asked and server.logins == 1
        with pytest.raises(LoginRefused):
            await connections.start("host", "true", for_source=True)
        await asyncio.sleep(1.0)
        with pytest.raises(LoginRefused, match="it waits for you: it wants a password"):
            await connections.dial("host", "127.0.0.1", 9)
        assert person.asked == asked and server.logins == 2
        with pytest.raises(LoginRefused):
            await connections.start("host", "true")
        assert person.asked == 2 * asked


class Tired(Nobody):
    """Is asked, and gives up."""

    def __init__(self) -> None:
        self.asked = 0

    async def secret(self, question: Question) -> str | None:
        """Give up."""
        self.asked += 1
        return None
