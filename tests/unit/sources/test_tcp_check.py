from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import msgspec
import pytest

from cockpit.errors import SourceError
from cockpit.signals import HealthSample, HealthState
from sources.tcp_check import TcpCheck, TcpCheckSource, TcpOptions
from tests.helpers.certs import Authority
from tests.helpers.emits import Kept
from tests.helpers.tcp_server import free_port, tcp_server


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def look(check: str | TcpCheck, *, timeout: float = 3.0) -> HealthSample:
    kept = Kept()
    await TcpCheckSource("ports", TcpOptions(checks=(check,), timeout=timeout)).poll(kept)
    [sample] = kept.health
    return sample


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def test_a_port_that_answers_is_ok_and_its_value_is_the_connect_latency() -> None:
    async with tcp_server(hold) as port:
        sample = await look(f"127.0.0.1:{port}")
    assert sample.state is HealthState.OK
    assert sample.kind == "check" and sample.unit == "s"
    assert sample.value is not None and 0 < sample.value < 1
    assert sample.value == pytest.approx(sample.details["connect s"], abs=1e-5)
    assert sample.resource["host.name"] == "127.0.0.1" and sample.resource["server.port"] == str(port)


async def test_a_refused_port_is_down_and_says_that_nothing_listens() -> None:
    sample = await look(f"127.0.0.1:{free_port()}")
    assert sample.state is HealthState.DOWN
    assert "refused" in sample.reason and "nothing listens" in sample.reason
    assert sample.value is None


async def test_an_unknown_name_is_down_and_says_so() -> None:
    sample = await look("no-such-host.invalid:80")
    assert sample.state is HealthState.DOWN
    assert "name" in sample.reason


async def test_a_port_that_never_accepts_times_out_naming_the_phase() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        sample = await look(f"127.0.0.1:{full.getsockname()[1]}", timeout=0.3)
        for filler in fillers:
            filler.close()
    assert sample.state is HealthState.DOWN
    assert "no connection within 0.3 s" in sample.reason


async def test_a_banner_is_found_across_parts() -> None:
    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ")
        await asyncio.sleep(0.02)
        writer.write(b"ready\r\n")
        await reader.read()

    async with tcp_server(smtp) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", expect="mail ready"))
    assert sample.state is HealthState.OK
    assert sample.details["answer"] == "220 mail ready"


async def test_what_is_sent_arrives_and_a_wrong_answer_is_down_with_what_came() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"you said " + await reader.readline())

    async with tcp_server(echo) as port:
        good = await look(TcpCheck(address=f"127.0.0.1:{port}", send="PING\n", expect_hex="50494e47"))
        bad = await look(TcpCheck(address=f"127.0.0.1:{port}", send="PING\n", expect="PONG"))
    assert good.state is HealthState.OK
    assert bad.state is HealthState.DOWN
    assert "PONG" in bad.reason and "you said PING" in bad.reason


async def test_silence_where_a_banner_is_expected_ends_in_time() -> None:
    async with tcp_server(hold) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", expect="220"), timeout=0.2)
    assert sample.state is HealthState.DOWN
    assert "what is expected did not come within 0.2 s" in sample.reason


async def test_a_flood_without_the_banner_is_read_no_further_than_64_kib() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"\x1b[2J" * 4096)
            await writer.drain()

    async with tcp_server(flood) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", expect="220"))
    assert sample.state is HealthState.DOWN and "64 KiB" in sample.reason
    assert "\x1b" not in str(sample.details["answer"])


async def test_slow_is_degraded_only_where_a_bound_is_set() -> None:
    async with tcp_server(hold) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", max_latency=1e-9))
    assert sample.state is HealthState.DEGRADED and "more than" in sample.reason


@pytest.mark.parametrize(
    ("days", "state", "words"),
    [
        (90, HealthState.OK, "connected"),
        (15, HealthState.DEGRADED, "ends in 15 days"),
        (3, HealthState.DOWN, "renew it now"),
        (-2, HealthState.DOWN, "ended 2"),
    ],
)
async def test_certificate_days_decide(
    authority: Authority, days: float, state: HealthState, words: str
) -> None:
    async with tcp_server(hold, tls=authority.server("127.0.0.1", days=days)) as port:
        check = TcpCheck(address=f"127.0.0.1:{port}", tls=True, ca_file=str(authority.ca_file))
        sample = await look(check)
    assert (sample.state, words in sample.reason) == (state, True), sample.reason
    assert sample.details["certificate days left"] == pytest.approx(days, abs=0.01)


async def test_a_trusted_certificate_tells_its_version(authority: Authority) -> None:
    async with tcp_server(hold, tls=authority.server("127.0.0.1")) as port:
        check = TcpCheck(address=f"127.0.0.1:{port}", tls=True, ca_file=str(authority.ca_file))
        sample = await look(check)
    assert sample.details["tls version"] == "TLSv1.3"
    assert "tls s" in sample.details


async def test_a_wrong_name_says_whom_the_certificate_is_for(authority: Authority) -> None:
    async with tcp_server(hold, tls=authority.server("shop.example")) as port:
        check = TcpCheck(address=f"localhost:{port}", tls=True, ca_file=str(authority.ca_file))
        sample = await look(check)
        right = TcpCheck(
            address=f"127.0.0.1:{port}",
            tls=True,
            ca_file=str(authority.ca_file),
            server_name="shop.example",
        )
        assert (await look(right)).state is HealthState.OK
    assert sample.state is HealthState.DOWN
    assert "another name" in sample.reason and "shop.example" in sample.reason


async def test_an_unknown_issuer_is_down_but_its_days_are_read(authority: Authority) -> None:
    async with tcp_server(hold, tls=authority.server("127.0.0.1", days=30)) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True))
        lax = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True, verify=False))
    assert sample.state is HealthState.DOWN and "unknown issuer" in sample.reason
    assert sample.details["certificate days left"] == pytest.approx(30, abs=0.01)
    assert lax.state is HealthState.OK


async def test_tls_asked_of_a_plain_port_says_so() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 no tls here\r\n")
        await reader.read()

    async with tcp_server(plain) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True))
    assert sample.state is HealthState.DOWN
    assert "TLS handshake failed" in sample.reason and "speaks TLS" in sample.reason


async def test_a_server_that_closes_in_the_handshake_is_down() -> None:
    async def shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with tcp_server(shut) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True))
    assert sample.state is HealthState.DOWN and sample.reason


async def test_a_handshake_that_hangs_times_out_as_tls() -> None:
    async with tcp_server(hold) as port:
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True), timeout=0.3)
    assert "the TLS handshake did not end within 0.3 s" in sample.reason


async def test_a_missing_ca_file_is_a_row_not_an_error(tmp_path: Path) -> None:
    async with tcp_server(hold) as port:
        missing = str(tmp_path / "none.pem")
        sample = await look(TcpCheck(address=f"127.0.0.1:{port}", tls=True, ca_file=missing))
    assert sample.state is HealthState.DOWN and "ca_file" in sample.reason


async def test_doctor_hears_which_check_is_down() -> None:
    closed = f"127.0.0.1:{free_port()}"
    async with tcp_server(hold) as port:
        good = f"127.0.0.1:{port}"
        assert "2 of 2" in await TcpCheckSource("p", TcpOptions(checks=(good, f"localhost:{port}"))).check()
        with pytest.raises(SourceError, match="1 of 2 checks down") as caught:
            await TcpCheckSource("p", TcpOptions(checks=(good, closed))).check()
    assert closed in str(caught.value)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"checks": []}, "checks is empty"),
        ({"checks": ["db"]}, "host:port"),
        ({"checks": ["::1:80"]}, "ambiguous"),
        ({"checks": [{"address": "db:99999"}]}, "host:port"),
        ({"checks": [{"address": "db:1", "send_hex": "xyz"}]}, "send_hex"),
        ({"checks": [{"address": "db:1", "expcet": "x"}]}, "expcet"),
    ],
)
def test_a_mistake_in_the_options_is_told(table: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(table, TcpOptions)


def test_the_options_take_short_and_long_forms() -> None:
    options = msgspec.convert({"checks": ["[::1]:80", {"address": "db:5432", "service": "db"}]}, TcpOptions)
    assert options.checks == ("[::1]:80", TcpCheck(address="db:5432", service="db"))


def test_the_contexts_verify_unless_told_otherwise() -> None:
    from sources.support.tls import client_context

    assert client_context().verify_mode is ssl.CERT_REQUIRED and client_context().check_hostname
    assert client_context(verify=False).verify_mode is ssl.CERT_NONE
