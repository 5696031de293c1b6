from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import dns
import dns.exception
import dns.message
import dns.rcode
import msgspec
import pytest

from cockpit.errors import SourceError
from cockpit.signals import HealthSample, HealthState
from sources.dns_check import DnsCheck, DnsCheckSource, DnsOptions, split_server
from sources.support.dns_query import MEANING, meaning_of, system_servers
from tests.helpers.dns_server import Zone, dns_server
from tests.helpers.emits import Kept
from tests.helpers.tcp_server import free_port

ZONE = (
    "www.example. 60 IN A 192.0.2.1",
    "www.example. 60 IN A 192.0.2.2",
    "shop.example. 30 IN CNAME edge.example.",
    "edge.example. 300 IN CNAME www.example.",
    "www.example. 60 IN AAAA 2001:db8::1",
    "example. 60 IN MX 10 Mail.Example.",
    'example. 60 IN TXT "v=spf1 " "-all"',
    "loop.example. 60 IN CNAME loop.example.",
)


async def look(check: str | DnsCheck, *servers: str, timeout: float = 2.0) -> HealthSample:
    kept = Kept()
    options = DnsOptions(checks=(check,), servers=servers, timeout=timeout)
    await DnsCheckSource("names", options).poll(kept)
    [sample] = kept.health
    return sample


async def test_a_name_that_resolves_is_ok_with_its_latency_and_ttl() -> None:
    async with dns_server(Zone(*ZONE)) as server:
        sample = await look("www.example", server)
    assert sample.state is HealthState.OK
    assert sample.subject == "www.example A" and sample.kind == "check"
    assert sample.value is not None and 0 < sample.value < 1 and sample.unit == "s"
    assert sample.details[f"{server} ttl"] == 60
    assert "192.0.2.1, 192.0.2.2" in sample.reason


async def test_a_cname_chain_is_followed_and_the_least_ttl_told() -> None:
    async with dns_server(Zone(*ZONE)) as server:
        sample = await look(DnsCheck(name="shop.example.", expect=("192.0.2.2",)), server)
    assert sample.state is HealthState.OK
    assert sample.details[f"{server} through"] == "edge.example to www.example"
    assert sample.details[f"{server} ttl"] == 30


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (DnsCheck(name="www.example", expect=("192.0.2.1",)), HealthState.OK),
        (DnsCheck(name="www.example", expect=("192.0.2.1",), match="exact"), HealthState.DOWN),
        (DnsCheck(name="www.example", expect=("192.0.2.2", "192.0.2.1"), match="exact"), HealthState.OK),
        (DnsCheck(name="www.example", expect=("192.0.2.1", "192.0.2.9")), HealthState.DOWN),
        (DnsCheck(name="www.example", expect=("192.0.2.1", "192.0.2.9"), match="any"), HealthState.OK),
        (DnsCheck(name="www.example", type="aaaa", expect=("2001:DB8:0::1",)), HealthState.OK),
        (DnsCheck(name="example", type="MX", expect=("10 mail.example",)), HealthState.OK),
        (DnsCheck(name="example", type="TXT", expect=("v=spf1 -all",)), HealthState.OK),
        (DnsCheck(name="example", type="TXT", expect=("v=spf1 +all",)), HealthState.DOWN),
        (DnsCheck(name="gone.example", rcode="NXDOMAIN"), HealthState.OK),
        (DnsCheck(name="www.example", rcode="NXDOMAIN"), HealthState.DOWN),
        (DnsCheck(name="www.example", transport="tcp"), HealthState.OK),
        (DnsCheck(name="www.example", max_latency=1e-9), HealthState.DEGRADED),
    ],
)
async def test_answers_are_held_against_what_is_expected(check: DnsCheck, state: HealthState) -> None:
    async with dns_server(Zone(*ZONE)) as server:
        sample = await look(check, server)
    assert sample.state is state, sample.reason


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (DnsCheck(name="gone.example"), "NXDOMAIN (the name does not exist"),
        (DnsCheck(name="www.example", type="SRV"), "exists but has no SRV record"),
        (DnsCheck(name="loop.example"), "CNAMEs has no end"),
        (DnsCheck(name="www.example", type="NOSUCH"), "no record type"),
        (DnsCheck(name="a..b"), "no DNS name"),
        (DnsCheck(name="x" * 70 + ".example"), "no DNS name"),
    ],
)
async def test_what_is_wrong_is_said_in_words(check: DnsCheck, words: str) -> None:
    async with dns_server(Zone(*ZONE)) as server:
        sample = await look(check, server)
    assert sample.state is HealthState.DOWN
    assert words in sample.reason


@pytest.mark.parametrize("code", ["SERVFAIL", "REFUSED", "NOTIMP"])
async def test_a_server_that_fails_is_down_with_its_code(code: str) -> None:
    def fail(query: dns.message.Message, transport: str) -> dns.message.Message:
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.from_text(code))
        return reply

    async with dns_server(fail) as server:
        sample = await look("www.example", server)
    assert sample.state is HealthState.DOWN and f"{code} (" in sample.reason


async def test_silence_is_down_in_time() -> None:
    async with dns_server(lambda query, transport: None) as server:
        sample = await look("www.example", server, timeout=0.2)
    assert sample.state is HealthState.DOWN
    assert "no answer" in sample.reason and "firewall" in sample.reason


async def test_a_dead_port_is_down() -> None:
    dead = f"127.0.0.1:{free_port()}"
    assert (await look(DnsCheck(name="www.example", transport="tcp"), dead)).state is HealthState.DOWN
    assert (await look("www.example", dead, timeout=0.3)).state is HealthState.DOWN


@pytest.mark.parametrize(
    "wire", [b"", b"\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(12), b"\xff" * 900]
)
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_garbage_is_a_row_that_is_down(wire: bytes, transport: str) -> None:
    async with dns_server(lambda query, used: wire) as server:
        check = msgspec.convert({"name": "www.example", "transport": transport}, DnsCheck)
        sample = await look(check, server, timeout=0.5)
    assert sample.state is HealthState.DOWN and sample.reason


async def test_an_answer_too_big_for_a_datagram_comes_by_tcp() -> None:
    zone = Zone(*(f"big.example. 60 IN A 10.0.{number // 250}.{number % 250}" for number in range(600)))
    async with dns_server(zone) as server:
        sample = await look("big.example", server)
    assert sample.state is HealthState.OK
    assert sample.details[f"{server} transport"] == "tcp after udp"
    assert [transport for _, transport in zone.asked] == ["udp", "tcp"]


async def test_one_failing_server_of_two_is_degraded_and_named() -> None:
    async with dns_server(Zone(*ZONE)) as good, dns_server(Zone()) as empty:
        sample = await look("www.example", good, empty)
        both = await look("nowhere.example", good, empty)
    assert sample.state is HealthState.DEGRADED
    assert sample.reason.startswith(f"{empty}: NXDOMAIN")
    assert both.state is HealthState.DOWN and good in both.reason and empty in both.reason


async def test_resolvers_that_differ_are_told_apart() -> None:
    async with dns_server(Zone(*ZONE)) as one, dns_server(Zone("www.example. 9 IN A 192.0.2.7")) as other:
        apart = await look(DnsCheck(name="www.example", agree=True), one, other)
        unasked = await look("www.example", one, other)
    assert apart.state is HealthState.DEGRADED
    assert "the servers differ" in apart.reason and "192.0.2.7" in apart.reason
    assert unasked.state is HealthState.OK


async def test_hostile_text_in_an_answer_is_made_harmless() -> None:
    def hostile(query: dns.message.Message, transport: str) -> dns.message.Message:
        reply = dns.message.make_response(query)
        reply.answer.append(dns.rrset.from_text("x.example.", 5, "IN", "TXT", '"\\027[2J[red]"'))
        return reply

    async with dns_server(hostile) as server:
        sample = await look(DnsCheck(name="x.example", type="TXT"), server)
    assert sample.state is HealthState.OK and "\x1b" not in sample.reason


async def test_doctor_says_what_resolves() -> None:
    async with dns_server(Zone(*ZONE)) as server:
        source = DnsCheckSource("names", DnsOptions(checks=("www.example",), servers=(server,)))
        assert await source.check() == "1 of 1 checks pass"
        source = DnsCheckSource("names", DnsOptions(checks=("gone.example",), servers=(server,)))
        with pytest.raises(SourceError, match="NXDOMAIN"):
            await source.check()


@pytest.mark.parametrize(
    ("server", "pair"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:54", ("2001:db8::1", 54)),
        ("ns1.example", ("ns1.example", 53)),
    ],
)
def test_servers_are_written_as_people_write_them(server: str, pair: tuple[str, int]) -> None:
    assert split_server(server) == pair


@pytest.mark.parametrize(
    "table", [{"checks": []}, {"checks": [{"name": ""}]}, {"checks": ["a"], "servers": ["x:y"]}]
)
def test_a_mistake_in_the_options_is_told(table: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, DnsOptions)


def test_the_machine_s_resolvers_are_read(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("search corp.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    assert system_servers(str(file)) == ["192.0.2.53", "2001:db8::53"]
    with pytest.raises(SourceError, match="no resolver is configured"):
        system_servers(str(tmp_path / "missing"))


def _walk(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for child in kind.__subclasses__():
        yield child
        yield from _walk(child)


def test_every_exception_of_dnspython_is_mapped_by_name() -> None:
    for module in pkgutil.walk_packages(dns.__path__, "dns."):
        try:
            importlib.import_module(module.name)
        except ImportError:  # parts that need a library this project does not use: QUIC, DoH, trio, Windows
            continue
    known = {
        f"{kind.__module__}.{kind.__name__}"
        for kind in _walk(dns.exception.DNSException)
        if kind.__module__.startswith("dns.")
    }
    assert len(known) > 60
    assert known - set(MEANING) == set()
    assert set(MEANING) - known == set()


def test_an_exception_nobody_mapped_means_what_its_parent_means() -> None:
    class Newer(dns.exception.Timeout):
        """Made up."""

    assert meaning_of(Newer) == MEANING["dns.exception.Timeout"]
    assert issubclass(meaning_of(dns.exception.DNSException)[0], SourceError)
