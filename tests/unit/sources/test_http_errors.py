from __future__ import annotations

import ssl

import httpx
import pytest

from cockpit.errors import BadAnswer, SourceError, Unreachable
from sources.support.http_errors import MEANINGS, Unanswered, httpx_errors

RAISABLE = sorted(
    name for name, kind in vars(httpx).items() if isinstance(kind, type) and issubclass(kind, Exception)
)


def made(name: str) -> Exception:
    kind = getattr(httpx, name)
    if name == "HTTPStatusError":
        request = httpx.Request("GET", "http://x/")
        error: Exception = kind(
            "said hunter2", request=request, response=httpx.Response(500, request=request)
        )
        return error
    try:
        error = kind("said hunter2")
    except TypeError:
        error = kind()
    return error


@pytest.mark.parametrize("name", RAISABLE)
def test_every_exception_of_httpx_has_a_meaning_of_its_own(name: str) -> None:
    assert name in MEANINGS, f"httpx has an exception that nobody mapped: {name}"
    with pytest.raises(SourceError) as caught, httpx_errors("prom"):
        raise made(name)
    assert caught.value.where == "prom"
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_the_table_names_nothing_that_httpx_has_not() -> None:
    assert set(MEANINGS) == set(RAISABLE)


@pytest.mark.parametrize(
    ("cause", "kind", "says"),
    [
        (ConnectionRefusedError(111, "Connection refused"), Unreachable, "is it running"),
        (OSError(113, "No route to host"), Unreachable, "no route"),
        (TimeoutError(), Unreachable, "no whole answer within 5 s"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), Unreachable, "TLS failed"),
    ],
)
def test_what_lies_below_httpx_is_mapped_too(cause: Exception, kind: type[SourceError], says: str) -> None:
    with pytest.raises(kind, match=says), httpx_errors("prom", seconds=5):
        raise cause


def test_a_cause_in_a_group_is_found() -> None:
    with pytest.raises(Unreachable, match="connection refused"), httpx_errors("prom"):
        try:
            raise ExceptionGroup("all attempts failed", [ConnectionRefusedError(111, "Connection refused")])
        except ExceptionGroup as group:
            raise httpx.ConnectError("All connection attempts failed") from group


def test_a_request_that_was_sent_may_have_taken_effect() -> None:
    with (
        pytest.raises(Unanswered, match="may or may not have taken effect"),
        httpx_errors("am", sent=lambda: True),
    ):
        raise httpx.ReadTimeout("")
    with pytest.raises(BadAnswer) as caught, httpx_errors("am"):
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    assert not isinstance(caught.value, Unanswered)
