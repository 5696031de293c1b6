from __future__ import annotations

import asyncio
import gzip
import ssl
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.errors import BadAnswer, SourceError
from cockpit.signals import HealthSample, HealthState
from cockpit.source import Secret
from sources.http_check import HttpCheck, HttpCheckSource, HttpOptions
from sources.support.body_match import found_in
from tests.helpers.certs import Authority
from tests.helpers.emits import Kept
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import free_port, tcp_server


async def look(check: str | HttpCheck, *, timeout: float = 3.0) -> HealthSample:
    kept = Kept()
    await HttpCheckSource("web", HttpOptions(checks=(check,), timeout=timeout)).poll(kept)
    [sample] = kept.health
    return sample


def fine(asked: Asked) -> Said:
    return Said(200, b'{"status": "UP"}\nsecond line', {"content-type": "application/json; charset=utf-8"})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def test_an_endpoint_that_answers_is_ok_with_its_phases() -> None:
    async with http_server(fine) as url:
        sample = await look(f"{url}/health")
    assert sample.state is HealthState.OK and sample.reason.startswith("200 in")
    assert sample.subject == f"{url}/health" and sample.kind == "check" and sample.unit == "s"
    assert sample.value is not None and sample.value == pytest.approx(sample.details["total s"], abs=1e-5)
    phases = [float(str(sample.details[f"{phase} s"])) for phase in ("dns", "connect", "first byte", "body")]
    assert sum(phases) <= sample.value
    assert sample.details["status"] == 200 and sample.details["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, HealthState.OK, "200"),
        ({"status": ["200", 204]}, HealthState.OK, "200"),
        ({"status": ["3xx", 404]}, HealthState.DOWN, "answered 200, expected 3xx or 404"),
        ({"contains": '"UP"'}, HealthState.OK, ""),
        ({"contains": '"DOWN"'}, HealthState.DOWN, "does not hold"),
        ({"matches": r"status.*U[P]"}, HealthState.OK, ""),
        ({"matches": r"^nothing$"}, HealthState.DOWN, "nothing in the body matches"),
        ({"headers": {"Content-Type": "application/JSON"}}, HealthState.OK, ""),
        ({"headers": {"content-type": "text/html"}}, HealthState.DOWN, "expected 'text/html'"),
        ({"headers": {"x-served-by": ""}}, HealthState.DOWN, "no header x-served-by"),
        ({"method": "HEAD"}, HealthState.OK, "200"),
        ({"max_latency": 1e-9}, HealthState.DEGRADED, "more than"),
        ({"name": "shop"}, HealthState.OK, "200"),
    ],
)
async def test_answers_are_held_against_what_is_expected(
    changes: dict[str, object], state: HealthState, words: str
) -> None:
    async with http_server(fine) as url:
        sample = await look(msgspec.convert({"url": url, **changes}, HttpCheck))
    assert sample.state is state and words in sample.reason, sample.reason


@pytest.mark.parametrize(
    ("status", "words"), [(401, "password"), (404, "path"), (500, "log"), (503, "maintenance")]
)
async def test_a_wrong_status_comes_with_its_remedy(status: int, words: str) -> None:
    async with http_server(lambda asked: Said(status)) as url:
        sample = await look(url)
    assert sample.state is HealthState.DOWN
    assert f"answered {status}" in sample.reason and words in sample.reason


async def test_a_post_carries_its_body_and_headers() -> None:
    seen: list[Asked] = []

    def keep(asked: Asked) -> Said:
        seen.append(asked)
        return Said(201)

    async with http_server(keep) as url:
        check = HttpCheck(
            url=f"{url}/search?q=a b".replace(" ", "%20"),
            method="POST",
            body='{"ping": "ü"}',
            request_headers={"Content-Type": "application/json"},
        )
        assert (await look(check)).state is HealthState.OK
    [asked] = seen
    assert asked.method == "POST" and asked.body == '{"ping": "ü"}'.encode()
    assert asked.param("q") == "a b"
    assert asked.headers["content-type"] == "application/json" and asked.headers["user-agent"] == "cockpit"


async def test_credentials_are_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "hunter2-secret")
    token = tmp_path / "token"
    token.write_text("tok-secret\n")

    def guarded(asked: Asked) -> Said:
        known = {"Basic b3BzOmh1bnRlcjItc2VjcmV0", "Bearer tok-secret"}
        return Said(200 if asked.headers.get("authorization") in known else 401)

    async with http_server(guarded) as url:
        basic = HttpCheck(url=url, user="ops", password=Secret(env="LAB_PASSWORD"))
        bearer = HttpCheck(url=url, bearer=Secret(file=str(token)))
        wrong = HttpCheck(url=url, bearer=Secret(clear="other-secret"))
        samples = [await look(check) for check in (basic, bearer, wrong)]
    assert [sample.state for sample in samples] == [HealthState.OK, HealthState.OK, HealthState.DOWN]
    assert "secret" not in repr(samples) and "secret" not in repr((basic, bearer, wrong))


async def test_a_secret_that_is_missing_is_a_row_with_the_reason() -> None:
    async with http_server(fine) as url:
        sample = await look(HttpCheck(url=url, bearer=Secret(env="NO_SUCH_VARIABLE_HERE")))
    assert sample.state is HealthState.DOWN and "NO_SUCH_VARIABLE_HERE" in sample.reason


async def test_redirects_are_followed_and_told() -> None:
    def moving(asked: Asked) -> Said:
        if asked.path == "/":
            return Said(302, headers={"location": "/login?token=abc"})
        return Said(200, b"welcome")

    async with http_server(moving) as url:
        sample = await look(HttpCheck(url=f"{url}/", contains="welcome"))
        stays = await look(HttpCheck(url=f"{url}/", redirects=0, status=(302,)))
    assert sample.state is HealthState.OK
    assert sample.details["redirects"] == 1
    assert sample.details["redirected to"] == f"{url}/login?…"
    assert stays.state is HealthState.OK and stays.details["redirects"] == 0


async def test_a_redirect_loop_ends_and_is_named() -> None:
    def round_and_round(asked: Asked) -> Said:
        return Said(301, headers={"location": "/b" if asked.path == "/a" else "/a"})

    async with http_server(round_and_round) as url:
        sample = await look(f"{url}/a")
    assert sample.state is HealthState.DOWN
    assert "more than 5 redirects" in sample.reason and "loop" in sample.reason


async def test_credentials_do_not_follow_a_redirect_to_another_port() -> None:
    seen: list[Asked] = []

    def stranger(asked: Asked) -> Said:
        seen.append(asked)
        return Said(200)

    async with (
        http_server(stranger) as other,
        http_server(lambda asked: Said(307, headers={"location": f"{other}/x"})) as url,
    ):
        check = HttpCheck(
            url=url,
            bearer=Secret(clear="tok"),
            request_headers={"X-Key": Secret(clear="k"), "X-Open": "yes"},
        )
        assert (await look(check)).state is HealthState.OK
    [asked] = seen
    assert "authorization" not in asked.headers and "x-key" not in asked.headers
    assert asked.headers["x-open"] == "yes"


async def test_a_redirect_to_no_http_address_is_down() -> None:
    async with http_server(lambda asked: Said(302, headers={"location": "file:///etc/passwd"})) as url:
        sample = await look(url)
    assert sample.state is HealthState.DOWN and "redirects to file:///etc/passwd" in sample.reason


@pytest.mark.parametrize(
    ("names", "days", "state", "words"),
    [
        (("127.0.0.1",), 90, HealthState.OK, "200"),
        (("127.0.0.1",), 15, HealthState.DEGRADED, "ends in 15 days"),
        (("127.0.0.1",), 2, HealthState.DOWN, "renew it now"),
        (("127.0.0.1",), -3, HealthState.DOWN, "ended 3"),
        (("shop.example",), 90, HealthState.DOWN, "it is for shop.example"),
    ],
)
async def test_certificates_are_judged(
    authority: Authority, names: tuple[str, ...], days: float, state: HealthState, words: str
) -> None:
    async with http_server(fine, tls=authority.server(*names, days=days)) as url:
        sample = await look(HttpCheck(url=url, ca_file=str(authority.ca_file)))
    assert sample.state is state and words in sample.reason, sample.reason
    assert sample.details["certificate days left"] == pytest.approx(days, abs=0.01)
    if state is HealthState.OK:
        assert sample.details["tls version"] == "TLSv1.3" and "tls s" in sample.details


async def test_an_unknown_issuer_is_down_unless_verification_is_off(authority: Authority) -> None:
    async with http_server(fine, tls=authority.server("127.0.0.1", days=40)) as url:
        strict = await look(url)
        lax = await look(HttpCheck(url=url, verify=False))
    assert strict.state is HealthState.DOWN and "unknown issuer" in strict.reason
    assert strict.details["certificate days left"] == pytest.approx(40, abs=0.01)
    assert lax.state is HealthState.OK and lax.details["certificate days left"] == pytest.approx(40, abs=0.01)


async def test_https_that_redirects_to_http_is_degraded(authority: Authority) -> None:
    async with (
        http_server(fine) as plain,
        http_server(
            lambda asked: Said(302, headers={"location": plain}), tls=authority.server("127.0.0.1")
        ) as url,
    ):
        sample = await look(HttpCheck(url=url, ca_file=str(authority.ca_file)))
    assert sample.state is HealthState.DEGRADED and "to plain http" in sample.reason


async def test_nothing_listening_and_no_such_name_are_told_apart() -> None:
    refused = await look(f"http://127.0.0.1:{free_port()}")
    unknown = await look("http://no-such-host.invalid/")
    assert "refused" in refused.reason and refused.state is HealthState.DOWN and refused.value is None
    assert "name" in unknown.reason and unknown.state is HealthState.DOWN


async def test_a_slow_server_is_down_in_time_naming_the_phase() -> None:
    async with http_server(lambda asked: Said(200, wait=5)) as url:
        sample = await look(url, timeout=0.3)
    assert sample.state is HealthState.DOWN
    assert "connected, but no answer came within 0.3 s" in sample.reason


STAGES = {
    "before a byte": (b"", "without an answer"),
    "in the head": (b"HTTP/1.1 200 OK\r\ncontent-le", "no HTTP"),
    "in the body": (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", "before its answer was whole"),
    "in a chunk": (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\nhalf",
        "before its answer was whole",
    ),
    "garbage": (b"\x00\x01SSH-2.0-OpenSSH\r\n\x1b[31m\r\n\r\n", "no HTTP"),
    "endless head": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 40_000, "no HTTP"),
    "broken gzip": (
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
        "compression is broken",
    ),
}


@pytest.mark.parametrize("stage", STAGES)
async def test_a_server_that_breaks_off_is_down_with_the_stage(stage: str) -> None:
    wire, words = STAGES[stage]

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire)
        await writer.drain()
        writer.write_eof()
        await asyncio.sleep(0.05)

    async with tcp_server(break_off) as port:
        sample = await look(f"http://127.0.0.1:{port}/")
    assert sample.state is HealthState.DOWN
    assert words in sample.reason and "\x1b" not in sample.reason, sample.reason


async def test_a_body_that_drips_ends_in_time() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with tcp_server(drip) as port:
        sample = await look(f"http://127.0.0.1:{port}/", timeout=0.3)
    assert sample.state is HealthState.DOWN and "not whole within 0.3 s" in sample.reason


async def test_an_endless_body_is_read_no_further_than_needed() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 200 << 20:
            writer.write(b"A" * 65536)
            await writer.drain()
            sent += 65536

    async with tcp_server(flood) as port:
        sample = await look(HttpCheck(url=f"http://127.0.0.1:{port}/", contains="needle"))
    assert sample.state is HealthState.DOWN and "first 256 KiB" in sample.reason
    assert sent < 50 << 20


async def test_a_gzip_body_and_a_gzip_bomb_are_read_within_the_bound() -> None:
    async def zipped(asked: Asked) -> Said:
        body = b"needle" if asked.path == "/" else b"\0" * (50 << 20)
        return Said(200, await asyncio.to_thread(gzip.compress, body, 9), {"content-encoding": "gzip"})

    async with http_server(zipped) as url:
        assert (await look(HttpCheck(url=url, contains="needle"))).state is HealthState.OK
        assert (await look(HttpCheck(url=f"{url}/bomb", contains="needle"))).state is HealthState.DOWN


async def test_plain_http_asked_of_a_tls_port_and_the_other_way_round(authority: Authority) -> None:
    async with http_server(fine, tls=authority.server("127.0.0.1")) as url:
        plain = await look(url.replace("https", "http"))
    async with http_server(fine) as url:
        secured = await look(url.replace("http", "https"))
    assert plain.state is HealthState.DOWN and plain.reason
    assert secured.state is HealthState.DOWN and "TLS" in secured.reason


async def test_one_slow_check_holds_no_other_back() -> None:
    async with http_server(lambda asked: Said(200, wait=1.0 if asked.path == "/slow" else 0)) as url:
        kept = Kept()
        source = HttpCheckSource("web", HttpOptions(checks=(f"{url}/slow", f"{url}/fast"), timeout=3))
        polling = asyncio.create_task(source.poll(kept))
        await asyncio.sleep(0.4)
        assert [sample.subject for sample in kept.health] == [f"{url}/fast"]
        await polling
    assert len(kept.health) == 2


async def test_the_same_url_twice_makes_two_subjects() -> None:
    async with http_server(fine) as url:
        kept = Kept()
        checks = (url, HttpCheck(url=url, contains="UP"))
        await HttpCheckSource("web", HttpOptions(checks=checks)).poll(kept)
    assert {sample.subject for sample in kept.health} == {url, f"{url} #2"}


async def test_doctor_hears_of_degraded_and_down() -> None:
    async with http_server(fine) as url:
        slow = HttpCheck(url=url, max_latency=1e-9)
        assert "1 degraded" in await HttpCheckSource("web", HttpOptions(checks=(slow,))).check()
        wrong = HttpCheck(url=url, status=("5xx",))
        with pytest.raises(SourceError, match="expected 5xx"):
            await HttpCheckSource("web", HttpOptions(checks=(wrong,))).check()


@pytest.mark.parametrize(
    "check",
    [
        "ftp://host/",
        "host/path",
        "http://user:pw@host/",
        "http://host:99999/",
        "http://host/a b",
        {"url": "http://host", "status": []},
        {"url": "http://host", "status": ["9xx"]},
        {"url": "http://host", "matches": "("},
        {"url": "http://host", "redirects": 1000},
        {"url": "http://host", "body": "x"},
        {"url": "http://host", "methud": "GET"},
    ],
)
def test_a_mistake_in_the_options_is_told(check: object) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"checks": [check]}, HttpOptions)
    assert ":pw@" not in str(caught.value)


async def test_a_pattern_that_takes_for_ever_is_stopped_and_told() -> None:
    started = asyncio.get_running_loop().time()
    with pytest.raises(BadAnswer, match=r"more than 0\.5 s"):
        await found_in("(a+)+$", "a" * 60 + "!", timeout=0.5)
    assert asyncio.get_running_loop().time() - started < 2
    async with http_server(lambda asked: Said(200, b"a" * 60 + b"!")) as url:
        sample = await look(HttpCheck(url=url, matches="(a+)+$"))
    assert sample.state is HealthState.DOWN and "fewer repeats" in sample.reason


async def test_a_pattern_sees_lines_and_any_text() -> None:
    assert await found_in("^second$", "first\nsecond\nthird")
    assert await found_in("ü\\x00", "ü\0")
    assert not await found_in("f.*t$", "first second")


@given(st.binary(max_size=400))
@settings(max_examples=40, deadline=None)
def test_no_answer_of_a_server_makes_the_source_fail(wire: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + wire)
        await writer.drain()

    async def once() -> HealthSample:
        async with tcp_server(answer) as port:
            return await look(f"http://127.0.0.1:{port}/", timeout=0.5)

    assert asyncio.run(once()).state in HealthState


def test_the_tls_context_of_a_check_verifies() -> None:
    from sources.support.tls import client_context

    assert client_context().verify_mode is ssl.CERT_REQUIRED
