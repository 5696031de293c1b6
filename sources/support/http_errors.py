"""Where httpx's exceptions become the cockpit's: one context manager, and a table that names every one of them.

A test walks httpx's namespace and fails when a release brings an exception that the table doesn't know. Texts of
exceptions are never passed on where they could hold a header or a URL, for those may hold credentials.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterator

from msgspec import Struct

from cockpit.errors import BadAnswer, Denied, OutcomeUnknown, SourceError, Unreachable


class Unanswered(Unreachable, OutcomeUnknown):
    """The request went out and no whole answer came back: whether it took effect is not known."""


class NotFound(BadAnswer):
    """The other side has nothing at that path: it may be another product, or an older one."""


class TooLong(BadAnswer):
    """The answer is longer than is taken: less is to be asked for at a time."""


class _Meaning(Struct, frozen=True):
    becomes: type[SourceError]
    message: str
    remedy: str = ""
    detailed: bool = False
    """Whether the exception's own text, which holds neither headers nor URLs here, is worth adding."""


_CLOCK = "raise `timeout`, or see why it is slow"
_SPEAKS = "does `url` point at the right port, and at http or https as the server speaks?"
_OURS = "this is a fault of the cockpit's: please report it"

MEANINGS: dict[str, _Meaning] = {
    "HTTPError": _Meaning(Unreachable, "the request failed"),
    "RequestError": _Meaning(Unreachable, "the request failed"),
    "TransportError": _Meaning(Unreachable, "the connection failed"),
    "TimeoutException": _Meaning(Unreachable, "no answer in time", _CLOCK),
    "ConnectTimeout": _Meaning(
        Unreachable, "no connection in time", "is the host up, and does a firewall drop packets?"
    ),
    "ReadTimeout": _Meaning(Unreachable, "connected, but no answer in time", _CLOCK),
    "WriteTimeout": _Meaning(Unreachable, "connected, but it did not read the request in time", _CLOCK),
    "PoolTimeout": _Meaning(Unreachable, "too many questions at once", "ask again in a moment"),
    "NetworkError": _Meaning(Unreachable, "the connection broke", detailed=True),
    "ReadError": _Meaning(Unreachable, "the connection broke while it answered", _SPEAKS, detailed=True),
    "WriteError": _Meaning(Unreachable, "the connection broke while asking", _SPEAKS, detailed=True),
    "ConnectError": _Meaning(Unreachable, "no connection", detailed=True),
    "CloseError": _Meaning(Unreachable, "the connection did not close cleanly", detailed=True),
    "ProxyError": _Meaning(
        Unreachable, "the proxy refused", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", detailed=True
    ),
    "UnsupportedProtocol": _Meaning(
        BadAnswer, "the address is neither http:// nor https://", "write `url` as http://host:port"
    ),
    "ProtocolError": _Meaning(BadAnswer, "it does not speak HTTP as agreed", _SPEAKS),
    "LocalProtocolError": _Meaning(
        BadAnswer,
        "the request can't be written as HTTP",
        "is there a stray line break in a secret or a header?",
    ),
    "RemoteProtocolError": _Meaning(BadAnswer, "it does not speak HTTP as agreed", _SPEAKS, detailed=True),
    "DecodingError": _Meaning(BadAnswer, "the answer's compression is broken"),
    "TooManyRedirects": _Meaning(BadAnswer, "it redirects for ever", "put the final address in `url`"),
    "HTTPStatusError": _Meaning(BadAnswer, "it answered with an error"),
    "InvalidURL": _Meaning(BadAnswer, "the address is not a URL", "write `url` as http://host:port/path"),
    "CookieConflict": _Meaning(BadAnswer, "it set the same cookie twice"),
    "StreamError": _Meaning(Unreachable, "the answer could not be read", _OURS),
    "StreamConsumed": _Meaning(Unreachable, "the answer was read twice", _OURS),
    "StreamClosed": _Meaning(Unreachable, "the answer was read after its end", _OURS),
    "ResponseNotRead": _Meaning(Unreachable, "the answer was used before it was read", _OURS),
    "RequestNotRead": _Meaning(Unreachable, "the request was used before it was read", _OURS),
}
"""What each exception of httpx means here, by its class name."""

_ERRNO = {
    errno.ECONNREFUSED: ("connection refused", "is it running, and is the port right?"),
    errno.EHOSTUNREACH: ("no route to the host", "check the network, the VPN or the bastion"),
    errno.ENETUNREACH: ("no route to the network", "check the network, the VPN or the bastion"),
    errno.ECONNRESET: ("the other side reset the connection", _SPEAKS),
    errno.EMFILE: ("too many open files", "raise the limit of open files (ulimit -n)"),
}


@contextlib.contextmanager
def httpx_errors(
    where: str, *, sent: Callable[[], bool] = lambda: False, seconds: float = 0.0
) -> Iterator[None]:
    """Raise the cockpit's errors in place of httpx's, TLS's and the clock's.

    Args:
        where: The source, for the error's text.
        sent: Tells whether a request that changes something had gone out by then; `Unanswered` then says so.
        seconds: The time limit, for the text of a time-out.

    Raises:
        SourceError: What the exception meant: `Unreachable`, `Denied`, `BadAnswer` or `Unanswered`.
    """
    import httpx

    known = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
    try:
        yield
    except SourceError:
        raise
    except TimeoutError:
        raised: SourceError = Unreachable(f"no whole answer within {seconds:g} s", where=where, remedy=_CLOCK)
    except known as error:
        raised = _translate(error, where)
    except ssl.SSLError as error:
        raised = _tls(error, where)
    except OSError as error:
        raised = _system(error, where, "")
    else:
        return
    if sent() and isinstance(raised, Unreachable | BadAnswer):
        raised = Unanswered(
            f"{raised.message}; the request had been sent, so it may or may not have taken effect",
            where=where,
            remedy="look before trying again",
        )
    # Nothing of httpx's is kept as the cause: its requests hold the headers, and those the credentials.
    raise raised from None


def _translate(error: Exception, where: str) -> SourceError:
    meaning = next(MEANINGS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in MEANINGS)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls(cause, where)
        if isinstance(cause, socket.gaierror):
            return Unreachable(
                "the host's name is unknown", where=where, remedy="check the name in `url`, and DNS"
            )
        if isinstance(cause, OSError) and cause.errno:
            return _system(cause, where, meaning.remedy)
    detail = str(error).strip() if meaning.detailed else ""
    message = f"{meaning.message}: {detail[:200]}" if detail else meaning.message
    return meaning.becomes(message, where=where, remedy=meaning.remedy)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, groups included, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__context__, one.__cause__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _system(error: OSError, where: str, remedy: str) -> SourceError:
    text, better = _ERRNO.get(error.errno or 0, (error.strerror or "the connection failed", remedy))
    return Unreachable(text, where=where, remedy=better)


def _tls(error: ssl.SSLError, where: str) -> SourceError:
    reason = (getattr(error, "reason", "") or "").lower().replace("_", " ")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"its certificate does not verify: {error.verify_message}",
            where=where,
            remedy="set `ca_file` to the authority that signed it",
        )
    if "certificate required" in reason or "bad certificate" in reason or "unknown ca" in reason:
        return Denied(
            f"it wants another client certificate ({reason})",
            where=where,
            remedy="set `client_cert` and `client_key`",
        )
    return Unreachable(f"TLS failed: {reason or 'no details'}", where=where, remedy=_SPEAKS)
