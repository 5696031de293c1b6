"""The one seam to asyncssh's errors: each becomes one of ours, with the hop, the reason and the remedy.

What the other side says is hostile, and cleaned here. `tests/unit/ssh/test_errors.py` walks through asyncssh and
fails for an exception that no entry of `_TABLE` names.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

import asyncssh
from asyncssh.asn1 import ASN1Error
from asyncssh.config import ConfigParseError
from asyncssh.constants import (
    OPEN_ADMINISTRATIVELY_PROHIBITED,
    OPEN_CONNECT_FAILED,
    OPEN_REQUEST_PTY_FAILED,
    OPEN_REQUEST_SESSION_FAILED,
    OPEN_RESOURCE_SHORTAGE,
    OPEN_UNKNOWN_CHANNEL_TYPE,
)
from asyncssh.misc import SoftEOFReceived
from asyncssh.packet import PacketDecodeError
from asyncssh.pbe import KeyEncryptionError
from asyncssh.saslprep import SASLPrepError

from cockpit.errors import (
    ChannelRefused,
    ConnectionLost,
    HostKeyRefused,
    HostUnreachable,
    LoginRefused,
    SshError,
)
from cockpit.hygiene import clean_line

WORDS = 300
"""Characters of the other side's words that are shown."""


class Stage(StrEnum):
    """How far a connection came."""

    REACHING = "reaching it"
    GREETING = "waiting for its greeting"
    KEY_EXCHANGE = "exchanging keys"
    LOGIN = "logging in"
    USE = "using it"


class _Case(NamedTuple):
    """An exception at a stage.

    Attributes:
        text: Its words, cleaned.
        words: What the way itself said, such as a ProxyCommand; cleaned.
        seconds: The time that was allowed.
    """

    error: BaseException
    stage: Stage
    text: str
    words: str
    seconds: float


_Answer = tuple[type[SshError], str, str]
"""Ours, its message, its remedy."""

THEIRS: tuple[type[Exception], ...] = (
    TimeoutError,
    asyncssh.Error,
    asyncssh.ChannelListenError,
    asyncssh.PasswordChangeRequired,
    asyncssh.BreakReceived,
    asyncssh.SignalReceived,
    SoftEOFReceived,
    asyncssh.TerminalSizeChanged,
    OSError,
    EOFError,
    ValueError,
)
"""What asyncssh and sockets raise: asyncssh uses ValueError for keys, packets and options that are wrong."""


@contextlib.contextmanager
def ssh_errors(hop: str) -> Iterator[None]:
    """Map what asyncssh and sockets raise in a block, on a connection that stands.

    Raises:
        SshError: One of its subclasses.
    """
    try:
        yield
    except SshError:
        raise
    except THEIRS as error:
        raise mapped(error, hop) from None


def mapped(
    error: BaseException, hop: str, *, stage: Stage = Stage.USE, words: str = "", seconds: float = 0.0
) -> SshError:
    """Return ours for one of theirs.

    Args:
        error: What was raised.
        hop: Where, as the operator named it.
        stage: How far the connection was.
        words: What the way to it said about its own failing, cleaned.
        seconds: The time that was allowed, for one that was too slow.
    """
    case = _Case(error, stage, clean_line(" ".join(str(error).split()), WORDS), words, seconds)
    kind, message, remedy = entry_of(type(error))(case)
    if words and words not in message:
        message = f"{message}; ProxyCommand said: {words}"
    return kind(message, where=hop, remedy=remedy)


def refused(error: asyncssh.ChannelOpenError, hop: str, place: str) -> SshError:
    """Return ours for a hop's refusal to connect on to a place."""
    answer = mapped(error, hop)
    if error.code == OPEN_CONNECT_FAILED and isinstance(answer, ChannelRefused):
        answer.message = f"{place} can't be reached from there: {clean_line(error.reason, WORDS)}"
        answer.remedy = "check that it is up and listens"
    return answer


def full(error: asyncssh.ChannelOpenError) -> bool:
    """Whether a host refused a session as one too many: OpenSSH says no more than that opening it failed."""
    return error.code in {OPEN_CONNECT_FAILED, OPEN_RESOURCE_SHORTAGE, OPEN_ADMINISTRATIVELY_PROHIBITED}


def entry_of(kind: type[BaseException]) -> Callable[[_Case], _Answer]:
    """Return the entry for an exception's class: its own, else that of the nearest class above it."""
    return next((_TABLE[each] for each in kind.__mro__ if each in _TABLE), _other)


def is_mapped(kind: type[BaseException]) -> bool:
    """Whether an exception's class has an entry of its own, or one above it that is asyncssh's."""
    return any(
        each in _TABLE and each.__module__.startswith("asyncssh") and each not in _COARSE
        for each in kind.__mro__
    )


def _timeout(case: _Case) -> _Answer:
    after = f" within {case.seconds:g} s" if case.seconds else " in time"
    match case.stage:
        case Stage.REACHING:
            return HostUnreachable, f"it did not answer{after}", "check that it is up, and what lies between"
        case Stage.GREETING:
            return (
                HostUnreachable,
                f"it accepted the connection and said nothing{after}",
                "check that an SSH server listens there, and that it isn't overloaded",
            )
        case Stage.KEY_EXCHANGE:
            return (
                HostUnreachable,
                f"it stopped answering in the key exchange{after}",
                "a path that loses large packets does that too: check the MTU",
            )
        case Stage.LOGIN:
            return (
                HostUnreachable,
                f"it did not finish the login{after}",
                "check its load, and its directory service",
            )
        case _:
            return ConnectionLost, f"it did not answer{after}", ""


def _lost(case: _Case) -> _Answer:
    match case.stage:
        case Stage.GREETING:
            return (
                HostUnreachable,
                "it closed the connection before it said anything",
                "it may be full (MaxStartups), or refuse this address",
            )
        case Stage.KEY_EXCHANGE:
            return HostUnreachable, "it closed the connection in the key exchange", "its log says why"
        case Stage.LOGIN:
            return LoginRefused, "it closed the connection during the login", "its log says why"
        case Stage.REACHING:
            return HostUnreachable, "the connection was lost", ""
    if "keepalive" in case.text:
        return ConnectionLost, "it answered no keep-alive any more", "check it, and the network between"
    return ConnectionLost, "the connection was lost", ""


def _exchange(case: _Case) -> _Answer:
    if found := re.match(r"No matching (\S+) algorithm found, sent .* and received (.*)", case.text):
        kind, theirs = found.groups()
        option = {
            "encryption": "Ciphers",
            "MAC": "MACs",
            "key": "KexAlgorithms",
            "kex": "KexAlgorithms",
            "compression": "Compression",
        }.get(kind, "HostKeyAlgorithms")
        return (
            HostUnreachable,
            f"no {kind} algorithm that both have; it offers {theirs}",
            f"name one of them under {option} in ssh_config",
        )
    if "host key algorithm" in case.text or "server host key" in case.text:
        return HostUnreachable, case.text, "name one that it has under HostKeyAlgorithms in ssh_config"
    return HostUnreachable, f"the key exchange failed: {case.text}", "its log says more"


def _protocol(case: _Case) -> _Answer:
    if "Too many authentication failures" in case.text:
        return (
            LoginRefused,
            "it allows no more attempts: too many keys or answers before the right one",
            "say IdentityFile and IdentitiesOnly yes in ssh_config",
        )
    if case.stage is Stage.USE:
        return ConnectionLost, f"it broke the protocol, or says that we did: {case.text}", ""
    return HostUnreachable, f"it does not speak SSH as it should: {case.text}", "check what listens there"


def _disconnected(case: _Case) -> _Answer:
    kind = {Stage.USE: ConnectionLost, Stage.LOGIN: LoginRefused}.get(case.stage, HostUnreachable)
    return kind, f"it ended the connection: {case.text}", ""


def _denied(case: _Case) -> _Answer:
    said = "" if case.text.lower().startswith("permission denied") else f": {case.text}" if case.text else ""
    return (
        LoginRefused,
        f"permission denied{said}",
        "check User and IdentityFile in ssh_config, and the agent's keys",
    )


def _not_opened(case: _Case) -> _Answer:
    assert isinstance(case.error, asyncssh.ChannelOpenError)
    said = case.text
    if said == "SSH connection closed":
        return ConnectionLost, "the connection was lost", ""
    if case.stage is Stage.REACHING:
        return _not_reached(case.error.code, said)
    match case.error.code:
        case code if code == OPEN_REQUEST_SESSION_FAILED:
            return (
                ChannelRefused,
                "it does not start what was asked for",
                "the account may be bound to one command, or sshd lack the subsystem",
            )
        case code if code == OPEN_REQUEST_PTY_FAILED:
            return ChannelRefused, "it gives no terminal", "see PermitTTY in its sshd_config"
        case code if code == OPEN_ADMINISTRATIVELY_PROHIBITED:
            return (
                ChannelRefused,
                f"it forbids that: {said}",
                "see AllowTcpForwarding and PermitOpen in its sshd_config, and restrictions on the key",
            )
        case code if code == OPEN_UNKNOWN_CHANNEL_TYPE:
            return ChannelRefused, f"it knows no such channel: {said}", ""
        case code if code == OPEN_RESOURCE_SHORTAGE:
            return ChannelRefused, f"it is short of resources: {said}", "try again later"
        case _:
            return ChannelRefused, f"it refused: {said}", ""


def _not_reached(code: int, said: str) -> _Answer:
    if code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return (
            HostUnreachable,
            f"the hop before it forbids going on to it: {said}",
            "see AllowTcpForwarding and PermitOpen in that hop's sshd_config",
        )
    if not said or said.lower() == "open failed":
        return (
            HostUnreachable,
            "not reached from the hop before it, which gives no reason",
            "check that it is up",
        )
    # The reason goes first: rows are narrow.
    return HostUnreachable, f"{said[0].lower()}{said[1:]}, seen from the hop before it", "check that it is up"


def _not_verified(case: _Case) -> _Answer:
    return HostKeyRefused, case.text or "its host key is not trusted", ""


def _os(case: _Case) -> _Answer:
    error = case.error
    assert isinstance(error, OSError)
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return (
                HostUnreachable,
                "its name can't be looked up just now",
                "check the network and the resolver",
            )
        return HostUnreachable, "its name is unknown", "check HostName in ssh_config, and the resolver"
    number = error.errno or _number_in(case.text)
    kind = ConnectionLost if case.stage is Stage.USE else HostUnreachable
    message, remedy = _NUMBERS.get(number, (case.text or type(error).__name__, ""))
    return kind, message, remedy


def _number_in(text: str) -> int:
    """Return the first error number in the words of asyncio, which joins those of several addresses."""
    found = re.search(r"\[Errno (\d+)\]|Connect call failed", text)
    return int(found[1]) if found and found[1] else 0


_NUMBERS: dict[int, tuple[str, str]] = {
    errno.ECONNREFUSED: ("connection refused", "check that sshd runs there, and the port"),
    errno.EHOSTUNREACH: ("no route to it", "check the network, and that it is up"),
    errno.ENETUNREACH: ("its network can't be reached", "check the network"),
    errno.ENETDOWN: ("the network is down", "check the network"),
    errno.EHOSTDOWN: ("it is down", ""),
    errno.ETIMEDOUT: ("it did not answer in time", "check that it is up, and what lies between"),
    errno.ECONNRESET: ("it reset the connection", "it may be full (MaxStartups), or refuse this address"),
    errno.ECONNABORTED: ("the connection was aborted", ""),
    errno.EPIPE: ("the connection was lost", ""),
    errno.EACCES: ("this machine does not allow that connection", "check its firewall"),
    errno.EPERM: ("this machine does not allow that connection", "check its firewall"),
    errno.EADDRNOTAVAIL: ("no such address on this machine", "check BindAddress in ssh_config"),
    errno.EMFILE: ("too many files are open here", "raise `ulimit -n`, or close some connections"),
    errno.ENFILE: ("too many files are open on this machine", "close some"),
    errno.ENOENT: ("no such file", ""),
}


def _says(kind: type[SshError], message: str, remedy: str = "") -> Callable[[_Case], _Answer]:
    """Return an entry that says a fixed thing, with the other side's words where `{}` stands."""
    return lambda case: (kind, message.format(case.text or "no reason was given"), remedy)


def _value(case: _Case) -> _Answer:
    if case.stage in {Stage.REACHING, Stage.USE}:
        return SshError, f"that can't be done: {case.text}", ""
    return HostUnreachable, f"what it sent can't be read: {case.text}", ""


def _other(case: _Case) -> _Answer:
    return SshError, case.text or type(case.error).__name__, ""


_IN_ORDER = "this should not have been seen here; please report it"

_TABLE: dict[type[BaseException], Callable[[_Case], _Answer]] = {
    TimeoutError: _timeout,
    OSError: _os,
    EOFError: _lost,
    asyncio.IncompleteReadError: _lost,
    ValueError: _value,
    asyncssh.Error: _other,
    asyncssh.DisconnectError: _disconnected,
    asyncssh.CompressionError: _says(
        ConnectionLost, "what it sent can't be unpacked: {}", "set Compression no"
    ),
    asyncssh.ConnectionLost: _lost,
    asyncssh.HostKeyNotVerifiable: _not_verified,
    asyncssh.IllegalUserName: _says(
        LoginRefused, "it takes no such user name: {}", "check User in ssh_config"
    ),
    asyncssh.KeyExchangeFailed: _exchange,
    asyncssh.MACError: _says(
        ConnectionLost, "what came was damaged on the way: {}", "check the network between"
    ),
    asyncssh.PermissionDenied: _denied,
    asyncssh.ProtocolError: _protocol,
    asyncssh.ProtocolNotSupported: _says(
        HostUnreachable, "it speaks another protocol: {}", "check the port; SSH 1 is not supported"
    ),
    asyncssh.ServiceNotAvailable: _says(HostUnreachable, "it offers no such service: {}"),
    asyncssh.ChannelOpenError: _not_opened,
    asyncssh.ChannelListenError: _says(ChannelRefused, "it does not listen there: {}"),
    asyncssh.PasswordChangeRequired: _says(
        LoginRefused, "it wants another password first", "change it with `ssh` or `passwd`"
    ),
    asyncssh.ProcessError: _says(ChannelRefused, "the program failed: {}"),
    asyncssh.TimeoutError: _timeout,
    asyncssh.SFTPError: _says(ChannelRefused, "{}"),
    asyncssh.SFTPNoConnection: _says(ConnectionLost, "the connection was lost: {}"),
    asyncssh.SFTPConnectionLost: _says(ConnectionLost, "the connection was lost: {}"),
    asyncssh.SFTPBadMessage: _says(ConnectionLost, "its SFTP server broke the protocol: {}"),
    **{
        kind: _says(ChannelRefused, f"{reason}: {{}}")
        for kind, reason in {
            asyncssh.SFTPEOFError: "the file ended early",
            asyncssh.SFTPNoSuchFile: "no such file",
            asyncssh.SFTPPermissionDenied: "its account may not do that",
            asyncssh.SFTPFailure: "its SFTP server could not do that",
            asyncssh.SFTPOpUnsupported: "its SFTP server can't do that",
            asyncssh.SFTPInvalidHandle: "the file was closed there",
            asyncssh.SFTPNoSuchPath: "no such folder",
            asyncssh.SFTPFileAlreadyExists: "the file is there already",
            asyncssh.SFTPWriteProtect: "it is write-protected",
            asyncssh.SFTPNoMedia: "its drive is empty",
            asyncssh.SFTPNoSpaceOnFilesystem: "no space is left there",
            asyncssh.SFTPQuotaExceeded: "its account's quota is used up",
            asyncssh.SFTPUnknownPrincipal: "it does not know that owner",
            asyncssh.SFTPLockConflict: "the file is locked",
            asyncssh.SFTPDirNotEmpty: "the folder is not empty",
            asyncssh.SFTPNotADirectory: "it is no folder",
            asyncssh.SFTPInvalidFilename: "the file name is not allowed there",
            asyncssh.SFTPLinkLoop: "its links go round in a circle",
            asyncssh.SFTPCannotDelete: "it can't be deleted",
            asyncssh.SFTPInvalidParameter: "its SFTP server did not take what was asked",
            asyncssh.SFTPFileIsADirectory: "it is a folder",
            asyncssh.SFTPByteRangeLockConflict: "a part of the file is locked",
            asyncssh.SFTPByteRangeLockRefused: "a part of the file can't be locked",
            asyncssh.SFTPDeletePending: "the file is about to be deleted",
            asyncssh.SFTPFileCorrupt: "the file is damaged",
            asyncssh.SFTPOwnerInvalid: "its owner can't be that",
            asyncssh.SFTPGroupInvalid: "its group can't be that",
            asyncssh.SFTPNoMatchingByteRangeLock: "no such part of the file was locked",
        }.items()
    },
    asyncssh.KeyImportError: _says(
        LoginRefused, "a key can't be read: {}", "check it with `ssh-keygen -l -f FILE`"
    ),
    asyncssh.KeyExportError: _says(LoginRefused, "a key can't be written: {}"),
    asyncssh.KeyGenerationError: _says(LoginRefused, "a key can't be made: {}"),
    KeyEncryptionError: _says(LoginRefused, "a key can't be opened: {}", "check its passphrase"),
    SASLPrepError: _says(LoginRefused, "a user name or password holds characters that can't be sent"),
    ASN1Error: _says(LoginRefused, "a key can't be read: {}"),
    PacketDecodeError: _says(ConnectionLost, "it broke the protocol: {}"),
    ConfigParseError: _says(SshError, "ssh_config is wrong: {}"),
    asyncssh.BreakReceived: _says(SshError, _IN_ORDER),
    asyncssh.SignalReceived: _says(SshError, _IN_ORDER),
    SoftEOFReceived: _says(SshError, _IN_ORDER),
    asyncssh.TerminalSizeChanged: _says(SshError, _IN_ORDER),
}
_COARSE = {asyncssh.Error, asyncssh.DisconnectError, asyncssh.SFTPError}
"""Classes above others: an entry of theirs says too little about a class that is new below them."""
