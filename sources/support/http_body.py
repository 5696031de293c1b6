"""Bodies of answers: decompressed within a bound, and decoded to what a protocol says they hold."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TypeVar

import msgspec

from cockpit.errors import BadAnswer
from cockpit.hygiene import clean_text
from sources.support.http_errors import TooLong

MAX_BYTES = 64 << 20
"""Bytes an answer may have after decompression, unless its reader allows less."""
PIECE = 64 << 10
"""Bytes that are decompressed at a time."""
OFF_LOOP = 1 << 20
"""Bytes from which decoding is done in a thread."""
ERROR_TEXT = 16 << 10
"""Bytes looked at of an error that is plain text."""

_LED_BY = re.compile(r'remoteAddr: "[^"]*"; requestURI: \S+; ')
"""What VictoriaMetrics and VictoriaLogs put before an error: the question over again."""

T = TypeVar("T")


async def bounded(
    raw: AsyncIterable[bytes], *, encoding: str, limit: int, where: str
) -> AsyncIterator[bytes]:
    """Yield a body's bytes, decompressed, and stop at a bound that a decompression bomb can't pass.

    Args:
        raw: The bytes as they came in.
        encoding: The answer's Content-Encoding: none, `identity`, `gzip` or `deflate`.
        limit: Bytes allowed after decompression.
        where: The source, for errors.

    Raises:
        BadAnswer: It is longer than that, or compressed in a way that was not asked for, or broken.
    """
    pieces = _inflated(raw, where) if encoding in {"gzip", "x-gzip", "deflate"} else raw
    if pieces is raw and encoding not in {"", "identity"}:
        raise BadAnswer(f"compressed as {clean_text(encoding, 40)}, which was not asked for", where=where)
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TooLong(
                f"the answer is longer than {limit >> 20} MiB", where=where, remedy="ask for less at a time"
            )
        yield piece


async def _inflated(raw: AsyncIterable[bytes], where: str) -> AsyncIterator[bytes]:
    """Decompress gzip (RFC 1952, several members too) or zlib (RFC 1950), a bounded piece at a time."""
    # 32 added to the window's bits makes zlib tell the two formats apart by their first bytes.
    inflater = zlib.decompressobj(32 + zlib.MAX_WBITS)
    started = False
    try:
        async for data in raw:
            while data:
                if inflater.eof:
                    inflater = zlib.decompressobj(32 + zlib.MAX_WBITS)
                started = True
                piece = inflater.decompress(data, PIECE)
                if piece:
                    yield piece
                data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    except zlib.error:
        raise BadAnswer("the answer's compression is broken", where=where) from None
    if started and not inflater.eof:
        raise BadAnswer("the compressed answer ends too early", where=where)


async def decoded(body: bytes, wanted: type[T], *, where: str, path: str) -> T:
    """Decode JSON to a type; a large body is decoded in a thread.

    Raises:
        BadAnswer: It is no JSON, or not of that shape; the message names the place in it.
    """
    if len(body) > OFF_LOOP:
        return await asyncio.to_thread(decode, body, wanted, where=where, path=path)
    return decode(body, wanted, where=where, path=path)


def decode(body: bytes, wanted: type[T], *, where: str, path: str) -> T:
    """Decode JSON to a type.

    Raises:
        BadAnswer: It is no JSON, or not of that shape; the message names the place in it.
    """
    try:
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        problem = f"{path} answered with something else than its API says: {error}"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = " but HTML" if body.lstrip()[:1] == b"<" else ""
        problem = f"{path} answered with no JSON{kind}: {error}"
    except RecursionError:
        problem = f"{path} answered with JSON nested too deep"
    raise BadAnswer(
        clean_text(problem, 400), where=where, remedy="does `url` point at the right server and path?"
    )


def said(body: bytes, *, scrub: Callable[[str], str]) -> str:
    """Return what an error's body says in one short line: a JSON field that holds it, else its first words.

    Args:
        body: The error's body.
        scrub: Takes credentials out; done before the text is cut, for half a credential would not be found.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    text = found if isinstance(found, str) else ""
    if isinstance(found, dict):
        errors = found.get("errors")
        if isinstance(errors, list) and errors and isinstance(errors[0], dict):
            found = {"message": errors[0].get("msg"), **found}  # Jaeger's form
        if isinstance(error := found.get("error"), dict):
            found = {**found, "error": _reason(error)}
        text = next(
            (found[key] for key in ("error", "message", "detail") if isinstance(found.get(key), str)), ""
        )
    if not text and body.lstrip()[:1] not in {b"<", b"{", b"["}:
        text = _LED_BY.sub("", body[:ERROR_TEXT].decode("utf-8", "replace"))
    return clean_text(" ".join(scrub(text).split()), 200)


def _reason(error: dict[str, object]) -> str:
    """Return what an error object of Elasticsearch says, the innermost cause being what a person can act on."""
    causes, roots = [error], error.get("root_cause")
    if isinstance(roots, list):
        causes += [root for root in roots if isinstance(root, dict)]
    inner = error.get("caused_by")
    while isinstance(inner, dict) and len(causes) < 10:
        causes.append(inner)
        inner = inner.get("caused_by")
    reasons = [reason for cause in causes if isinstance(reason := cause.get("reason"), str)]
    return ": ".join(dict.fromkeys(reasons)) or str(error.get("type") or "")


def retry_after(text: str) -> str:
    """Return in words what a Retry-After header (RFC 9110, section 10.2.3) says; empty where it says nothing."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return f"{int(text[:9])} s"
    return f"the time until {clean_text(text, 40)}" if text else ""
