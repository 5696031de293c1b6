"""The seam to httpx against real sockets that behave badly."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from cockpit.errors import BadAnswer, CockpitError, ConfigError, Denied, Unreachable
from cockpit.source import Secret
from sources.support.http import HttpClient, HttpOptions
from sources.support.http_body import decode
from sources.support.http_errors import NotFound, Unanswered
from tests.helpers.http_server import Asked, Said, http_server
from tests.helpers.tcp_server import tcp_server

PASSWORD = "hunter2-correct-horse"


class Fruit(Struct):
    name: str
    weight: float = 0.0


def client(url: str, **options: Any) -> HttpClient:
    limit = options.pop("limit", 1 << 20)
    return HttpClient("orchard", HttpOptions(**{"url": url, "timeout": 2.0, **options}), limit=limit)


async def raw(answer: bytes, *, then: float = 0.0) -> BaseException | Fruit:
    """Give fixed bytes for an answer, then close; return what a reader makes of them."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(then)

    async with tcp_server(talk) as port:
        asking = client(f"http://127.0.0.1:{port}", timeout=1.0)
        try:
            return await asking.get_json("/fruit", Fruit)
        except CockpitError as error:
            return error
        finally:
            await asking.aclose()


def said(body: bytes, *more: str) -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *more])
    return head.encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (said(b'{"name": "apple"}'), Fruit, "apple"),
        (said(b'{"name": 7}'), BadAnswer, "at `$.name`"),
        (said(b'{"name": "apple", "weight": "heavy"}'), BadAnswer, "at `$.weight`"),
        (said(b'{"name": "app'), BadAnswer, "no JSON"),
        (said(b"<html>Sign in</html>"), BadAnswer, "HTML"),
        (said(b'{"name": "\xff\xfe"}'), BadAnswer, "/fruit answered"),
        (said(b"[" * 200_000), BadAnswer, "/fruit answered"),
        (said(b""), BadAnswer, "no JSON"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{", BadAnswer, "HTTP as agreed"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{", BadAnswer, "HTTP as agreed"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", BadAnswer, "HTTP as agreed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", BadAnswer, "right port"),
        (b"\x00\x01\x02\x03", BadAnswer, "HTTP as agreed"),
        (b"", BadAnswer, "HTTP as agreed"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000, BadAnswer, "HTTP as agreed"),
    ],
)
async def test_garbage_is_a_bad_answer_that_says_where(answer: bytes, kind: type, says: str) -> None:
    found = await raw(answer)
    assert isinstance(found, kind), found
    assert says in str(found)


async def test_a_slow_answer_ends_with_the_time_limit_though_bytes_keep_coming() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with tcp_server(drip) as port:
        asking = client(f"http://127.0.0.1:{port}", timeout=0.4)
        started = time.monotonic()
        with pytest.raises(Unreachable, match=r"no whole answer within 0\.4 s"):
            await asking.get_json("/", Fruit)
        assert time.monotonic() - started < 1.5
        await asking.aclose()


async def test_an_answer_without_end_is_cut_at_the_bound() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with tcp_server(flood) as port:
        asking = client(f"http://127.0.0.1:{port}", timeout=10.0, limit=4 << 20)
        with pytest.raises(BadAnswer, match="longer than 4 MiB"):
            await asking.fetch("GET", "/")
        await asking.aclose()


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (
            {"user": "ann", "password": Secret(clear=PASSWORD)},
            "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode(),
        ),
        ({"bearer": Secret(clear=PASSWORD)}, f"Bearer {PASSWORD}"),
    ],
)
async def test_credentials_are_sent_and_never_shown(options: dict[str, Any], header: str) -> None:
    seen: list[Asked] = []

    def echo(asked: Asked) -> Said:
        seen.append(asked)
        return Said(status=418, body=json.dumps({"error": f"no: {asked.headers}"}).encode())

    async with http_server(echo) as url:
        asking = client(url, **options, headers={"X-Tenant": "eu", "X-Key": Secret(clear=PASSWORD + "3")})
        with pytest.raises(BadAnswer) as caught:
            await asking.get_json("/x?token=" + PASSWORD, Fruit)
        await asking.aclose()
    assert seen[0].headers["authorization"] == header
    assert seen[0].headers["x-tenant"] == "eu" and seen[0].headers["x-key"] == PASSWORD + "3"
    shown = str(caught.value) + repr(asking.options) + "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in shown and header.split()[1] not in shown


async def test_credentials_in_the_address_are_used_and_not_shown() -> None:
    def guard(asked: Asked) -> Said:
        return Said(status=403 if "authorization" in asked.headers else 401)

    async with http_server(guard) as url:
        asking = client(url.replace("://", f"://ann:{PASSWORD}@"))
        assert PASSWORD not in asking.url
        with pytest.raises(Denied, match="403") as caught:
            await asking.get_json("/x", Fruit)
        await asking.aclose()
    assert PASSWORD not in str(caught.value)


async def test_a_secret_with_a_line_break_is_refused_unseen() -> None:
    async with http_server(lambda _: Said(body=b"{}")) as url:
        asking = client(url, bearer=Secret(clear=PASSWORD + "\nx"))
        with pytest.raises(BadAnswer, match="line break") as caught:
            await asking.get_json("/", Fruit)
        await asking.aclose()
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_rotated_token_is_read_again_after_a_refusal(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    good = "Bearer new"

    def guard(asked: Asked) -> Said:
        return (
            Said(body=b'{"name":"fig"}') if asked.headers.get("authorization") == good else Said(status=401)
        )

    async with http_server(guard) as url:
        asking = client(url, bearer=Secret(file=str(file)))
        with pytest.raises(Denied, match="check `bearer`"):
            await asking.get_json("/", Fruit)
        file.write_text("new\n")
        assert (await asking.get_json("/", Fruit)).name == "fig"
        await asking.aclose()


async def test_a_redirect_to_another_host_takes_no_credentials_along() -> None:
    there: list[Asked] = []

    def elsewhere(asked: Asked) -> Said:
        there.append(asked)
        return Said(body=b'{"name":"plum"}')

    async with http_server(elsewhere) as other:

        def here(asked: Asked) -> Said:
            if asked.path == "/same":
                return Said(status=302, headers={"location": "/moved"})
            if asked.path == "/moved":
                assert "authorization" in asked.headers
                return Said(status=307, headers={"location": f"{other}/fruit"})
            return Said(status=302, headers={"location": "/again"})

        async with http_server(here) as url:
            asking = client(url, bearer=Secret(clear=PASSWORD), headers={"X-Key": Secret(clear=PASSWORD)})
            answer = await asking.fetch("GET", "/same")
            assert answer.url == f"{other}/fruit" and answer.hops == (f"{url}/same", f"{url}/moved")
            with pytest.raises(BadAnswer, match="redirects for ever"):
                await asking.fetch("GET", "/again")
            await asking.aclose()
    assert PASSWORD not in str(there[0].headers) and "x-key" not in there[0].headers


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Denied), (403, Denied), (404, NotFound), (429, Unreachable), (500, BadAnswer), (503, Unreachable)],
)
async def test_statuses_have_meanings(status: int, kind: type[CockpitError]) -> None:
    async with http_server(lambda _: Said(status=status, body=b'{"error": "said \x1b[31m so"}')) as url:
        asking = client(url)
        with pytest.raises(kind, match=f"HTTP {status}") as caught:
            await asking.get_json("/x", Fruit)
        assert "\x1b" not in str(caught.value)
        await asking.aclose()


async def test_a_change_whose_answer_is_lost_may_have_taken_effect() -> None:
    async with http_server(lambda _: Said(wait=5)) as url:
        asking = client(url, timeout=0.3)
        with pytest.raises(Unanswered, match="may or may not have taken effect"):
            await asking.post_json("/x", {}, Fruit)
        with pytest.raises(Unreachable) as caught:
            await asking.get_json("/x", Fruit)
        assert not isinstance(caught.value, Unanswered)
        await asking.aclose()


async def test_a_question_that_is_posted_is_never_in_doubt() -> None:
    async with http_server(lambda _: Said(504)) as url:
        asking = client(url)
        with pytest.raises(Unreachable) as caught:
            await asking.post_json("/search", {}, Fruit, reading=True)
        await asking.aclose()
    assert not isinstance(caught.value, Unanswered)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("7", "be left alone for 7 s"),
        ("Fri, 31 Dec 2026 23:59:59 GMT", "until Fri, 31 Dec"),
        ("", "overloaded"),
    ],
)
async def test_a_busy_server_says_when_to_ask_again(header: str, says: str) -> None:
    headers = {"retry-after": header} if header else {}
    async with http_server(lambda _: Said(429, b"slow down", headers)) as url:
        asking = client(url)
        with pytest.raises(Unreachable, match=says):
            await asking.get_json("/fruit", Fruit)
        await asking.aclose()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b'{"error":{"root_cause":[{"type":"a","reason":"no such index [x]"}],"type":"b",'
            b'"reason":"all shards failed",'
            b'"caused_by":{"type":"c","reason":"deeper","caused_by":{"reason":"deepest"}}},"status":400}',
            "all shards failed: no such index [x]: deeper: deepest",
        ),
        (b'{"error":{"type":"only_a_type"}}', "only_a_type"),
        (
            b'remoteAddr: "127.0.0.1:1"; requestURI: /select?query=x; cannot parse query [x]',
            "cannot parse query [x]",
        ),
    ],
)
async def test_the_words_of_log_engines_are_found(body: bytes, says: str) -> None:
    async with http_server(lambda _: Said(400, body)) as url:
        asking = client(url)
        with pytest.raises(BadAnswer) as caught:
            await asking.get_json("/fruit", Fruit)
        await asking.aclose()
    assert caught.value.message == f"HTTP 400 from GET /fruit: {says}"


async def test_many_at_once_share_one_client() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(said(b'{"name":"fig"}'))
            await writer.drain()

    async with tcp_server(talk) as port:
        asking = client(f"http://127.0.0.1:{port}")
        await asyncio.gather(*(asking.get_json("/", Fruit) for _ in range(5)))
        await asyncio.gather(*(asking.get_json("/", Fruit) for _ in range(5)))
        assert connections <= 5
        await asking.aclose()


async def test_names_and_ports_that_are_not_there() -> None:
    for url, says in (
        ("http://127.0.0.1:1/", "connection refused"),
        ("http://no-such-host.invalid/", "name is unknown"),
    ):
        asking = client(url)
        with pytest.raises(Unreachable, match=says):
            await asking.get_json("/", Fruit)
        await asking.aclose()
    for url in ("", "ftp://x", "http://", "x:9090", "http://[::1"):
        with pytest.raises(ConfigError):
            client(url)


async def test_a_large_answer_is_decoded_without_holding_the_loop() -> None:
    body = json.dumps([{"name": "x" * 50, "weight": 1.0}] * 40_000).encode()
    async with http_server(lambda _: Said(body=body)) as url:
        asking = client(url, limit=16 << 20, timeout=20.0)
        fruits = await asking.get_json("/", list[Fruit])
        assert len(fruits) == 40_000
        await asking.aclose()


def test_failed_decodes_leave_nothing_behind() -> None:
    for _ in range(3_000):
        with pytest.raises(BadAnswer):
            decode(b'[{"name": ["x', list[Fruit], where="x", path="/")
