"""Every exception of asyncssh becomes one of ours, and what the other side says is cleaned."""

from __future__ import annotations

import asyncio
import errno
import importlib
import inspect
import pkgutil
import socket

import asyncssh
import pytest

from cockpit.errors import (
    ChannelRefused,
    ConnectionLost,
    HostKeyRefused,
    HostUnreachable,
    LoginRefused,
    SshError,
)
from cockpit.ssh.errors import THEIRS, Stage, is_mapped, mapped, ssh_errors

NOT_OURS = {"asyncssh.gss_win32", "asyncssh.agent_win32"}
"""Modules for a system on which the cockpit does not run."""


def exceptions() -> list[type[BaseException]]:
    """Walk through asyncssh."""
    found: set[type[BaseException]] = set()
    for module in pkgutil.walk_packages(asyncssh.__path__, "asyncssh."):
        if module.name in NOT_OURS:
            continue
        try:
            content = vars(importlib.import_module(module.name)).values()
        except ImportError:  # wants something that is not installed
            continue
        found |= {
            each
            for each in content
            if inspect.isclass(each)
            and issubclass(each, BaseException)
            and each.__module__.startswith("asyncssh")
        }
    return sorted(found, key=lambda kind: kind.__qualname__)


ALL = [kind for kind in exceptions() if kind.__name__ != "GSSError"]


def test_the_walk_finds_what_asyncssh_has() -> None:
    assert {asyncssh.DisconnectError, asyncssh.SFTPQuotaExceeded, asyncssh.KeyImportError} <= set(ALL)
    assert len(ALL) > 50


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_exception_has_an_entry_and_is_caught(kind: type[BaseException]) -> None:
    assert is_mapped(kind) or kind in {asyncssh.Error, asyncssh.DisconnectError, asyncssh.SFTPError}
    assert issubclass(kind, THEIRS)


def test_one_that_is_new_would_be_found() -> None:
    class SFTPNew(asyncssh.SFTPError):
        pass

    class DisconnectNew(asyncssh.DisconnectError):
        pass

    class New(Exception):
        pass

    assert not any(map(is_mapped, (SFTPNew, DisconnectNew, New)))


def made(kind: type[BaseException], text: str) -> BaseException:
    """Make an exception of whichever arguments its class takes."""
    for arguments in (
        (text,),
        (2, text),
        (1,),
        (80, 24, 0, 0),
        (),
        (text, "command", None, 1, None, 1, "", ""),
        ("command", None, 1, None, 1, "", "", text),
    ):
        error = kind.__new__(kind)
        try:
            error.__init__(*arguments)  # type: ignore[misc]
            str(error)
        except (TypeError, AttributeError):
            continue
        return error
    raise AssertionError(f"{kind.__name__} takes other arguments")


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_each_is_told_in_one_clean_line_at_every_stage(kind: type[BaseException]) -> None:
    hostile = "no\x1b]0;evil\x07 way\r\n\u202eon {0} {}" + "x" * 5000
    for stage in Stage:
        error = mapped(made(kind, hostile), "db-1", stage=stage)
        assert isinstance(error, SshError)
        assert error.where == "db-1" and error.message
        assert str(error).isprintable() and len(str(error)) < 700


@pytest.mark.parametrize(
    ("error", "stage", "kind", "told"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), Stage.REACHING, HostUnreachable, "refused"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101] x"),
            Stage.REACHING,
            HostUnreachable,
            "connection refused",
        ),
        (socket.gaierror(socket.EAI_NONAME, "x"), Stage.REACHING, HostUnreachable, "name is unknown"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), Stage.REACHING, HostUnreachable, "just now"),
        (OSError(errno.EHOSTUNREACH, "x"), Stage.REACHING, HostUnreachable, "no route"),
        (ConnectionResetError(errno.ECONNRESET, "x"), Stage.USE, ConnectionLost, "reset"),
        (asyncio.IncompleteReadError(b"", 1), Stage.USE, ConnectionLost, "lost"),
        (TimeoutError(), Stage.REACHING, HostUnreachable, "did not answer within 5 s"),
        (TimeoutError(), Stage.GREETING, HostUnreachable, "said nothing"),
        (TimeoutError(), Stage.KEY_EXCHANGE, HostUnreachable, "key exchange"),
        (TimeoutError(), Stage.LOGIN, HostUnreachable, "login"),
        (asyncssh.ConnectionLost("x"), Stage.GREETING, HostUnreachable, "before it said anything"),
        (asyncssh.ConnectionLost("x"), Stage.LOGIN, LoginRefused, "during the login"),
        (
            asyncssh.ConnectionLost("Server not responding to keepalive"),
            Stage.USE,
            ConnectionLost,
            "keep-alive",
        ),
        (
            asyncssh.ProtocolError("Too many authentication failures"),
            Stage.LOGIN,
            LoginRefused,
            "too many keys.*IdentitiesOnly",
        ),
        (
            asyncssh.PermissionDenied("Permission denied for user me"),
            Stage.LOGIN,
            LoginRefused,
            "permission denied",
        ),
        (asyncssh.HostKeyNotVerifiable("not trusted"), Stage.KEY_EXCHANGE, HostKeyRefused, "not trusted"),
        (
            asyncssh.KeyExchangeFailed("No matching MAC algorithm found, sent a,b and received c,d"),
            Stage.KEY_EXCHANGE,
            HostUnreachable,
            "offers c,d.*under MACs",
        ),
        (asyncssh.DisconnectError(12, "too many users"), Stage.USE, ConnectionLost, "too many users"),
        (asyncssh.ChannelOpenError(1, "open failed"), Stage.USE, ChannelRefused, "forbids that.*PermitOpen"),
        (
            asyncssh.ChannelOpenError(2, "Connection refused"),
            Stage.REACHING,
            HostUnreachable,
            "connection refused, seen from the hop before",
        ),
        (asyncssh.ChannelOpenError(1, "open failed"), Stage.REACHING, HostUnreachable, "forbids going on"),
        (asyncssh.ChannelOpenError(0xFFFFFFFF, "x"), Stage.USE, ChannelRefused, "lack the subsystem"),
        (asyncssh.ChannelOpenError(0xFFFFFFFE, "x"), Stage.USE, ChannelRefused, "no terminal.*PermitTTY"),
        (asyncssh.SFTPNoSuchFile("/etc/x"), Stage.USE, ChannelRefused, "no such file: /etc/x"),
        (asyncssh.SFTPPermissionDenied("/etc/x"), Stage.USE, ChannelRefused, "may not"),
    ],
)
def test_what_went_wrong_is_told_with_what_to_do(
    error: BaseException, stage: Stage, kind: type[SshError], told: str
) -> None:
    ours = mapped(error, "db-1", stage=stage, seconds=5)
    assert type(ours) is kind
    with pytest.raises(kind, match=told):
        raise ours


def test_what_a_way_says_is_added() -> None:
    ours = mapped(asyncssh.ConnectionLost("x"), "db-1", stage=Stage.GREETING, words="no route")
    assert ours.message.endswith("ProxyCommand said: no route")


def test_ours_pass_the_seam_as_they_are() -> None:
    with pytest.raises(LoginRefused, match="as it was"), ssh_errors("db-1"):
        raise LoginRefused("as it was")
    with pytest.raises(ConnectionLost) as caught, ssh_errors("db-1"):
        raise asyncssh.ConnectionLost("gone")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__
