"""Programs for the network with a language of their own: nft, firewall-cmd, nc, socat, tcpdump, openssl, grpcurl.

Source: nft(8), firewall-cmd(1), nc(1), tcpdump(8), openssl-s_client(1), grpcurl's README.
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import unknown

_NFT_READS = frozenset({"list", "describe", "monitor", "get"})


def nft(call: Call) -> list[Finding]:
    """Judge `nft [OPTIONS] COMMAND [; COMMAND…]`; with `-c` it only checks."""
    if call.parts.loose or call.has("-i", "--interactive"):
        return [call.finding(Risk.UNKNOWN, "takes commands that aren't known")]
    if call.has("-c", "--check"):
        return [call.finding(Risk.READ, "only checks rules")]
    if call.has("-f", "--file"):
        return [call.finding(Risk.CHANGE, "loads rules from a file")]
    if call.has("-v", "-V", "-h", "--help", "--version") and not call.parts.operands:
        return [call.finding(Risk.READ, "prints help")]
    if not call.parts.operands or any(word.text is None or word.glob for word in call.parts.operands):
        return [call.finding(Risk.UNKNOWN, "has commands that aren't known")]
    line = " ".join(word.text or "" for word in call.parts.operands)
    found = []
    for command in re.split(r"[;\n]", line):
        words = command.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] in _NFT_READS:
            found.append(call.finding(Risk.READ, "lists rules"))
        elif words[0] in {"flush", "destroy"} or words[:2] in (["delete", "table"], ["delete", "chain"]):
            found.append(call.finding(Risk.DESTRUCTIVE, "removes many rules at once"))
        else:
            found.append(call.finding(Risk.CHANGE, "changes the firewall"))
    return found or [call.finding(Risk.UNKNOWN, "names no command")]


_FIREWALL_READS = (
    "--list-", "--get-", "--query-", "--info-", "--path-", "--state", "--check-config", "--permanent", "--zone=",
    "--policy=", "--version", "--help", "--quiet", "--verbose", "--timeout=", "--service=", "--icmptype=", "--ipset=",
    "--helper=", "--direct", "--lockdown-whitelist",
)  # fmt: skip


def firewall(call: Call) -> list[Finding]:
    """Judge `firewall-cmd OPTION…`: each option has to be one that asks."""
    texts = [word.text for word in call.rest]
    options = [text for text in texts if text is not None and text.startswith("-")]
    if any(word.is_open for word in call.rest) or not options:
        return [call.finding(Risk.UNKNOWN, "has words that aren't known")]
    if all(f"{each}=".startswith(_FIREWALL_READS) for each in options):
        return [call.finding(Risk.READ, "asks about the firewall")]
    return [call.finding(Risk.CHANGE, "changes the firewall")]


_QUESTIONS = frozenset(
    {
        "", "ruok", "stat", "srvr", "mntr", "conf", "cons", "dump", "envi", "isro", "wchs", "wchc", "wchp", "stats",
        "stats items", "stats slabs", "stats settings", "stats sizes", "version", "PING", "INFO", "QUIT", "quit", "Q",
        "NOOP", "HELP", "show info", "show stat", "show sess", "show pools", "show errors", "show servers state",
        "show table", "show activity", "show backend", "show env", "show info;show stat", "help",
    }
)  # fmt: skip
"""What services that speak plain text are asked: ZooKeeper, memcached, Redis, HAProxy's socket, mail."""
_ERASES = re.compile(r"(?i)flush_?(all|db)|\bdel\b|\bshutdown\b|\bDELE\b|clear (table|counters)|\bDELETE\b")
_GETS = re.compile(r"(?:GET|HEAD) \S+(?: HTTP/[\d.]+)?")


def _asks(text: str) -> bool:
    lines = [line.strip() for line in text.strip().splitlines()] or [""]
    if _GETS.fullmatch(lines[0]):
        return all(re.fullmatch(r"(?i)(?:host|connection|accept|user-agent):.*|", line) for line in lines[1:])
    return all(line in _QUESTIONS or line.startswith("EHLO ") for line in lines)


def _sent(call: Call, *, silent: Risk) -> list[Finding]:
    """Judge what is sent to a server on a connection that carries anything.

    Args:
        call: Has what is sent, if that is known.
        silent: What a call is that is given nothing.
    """
    if call.given.text is None:
        return [call.finding(Risk.UNKNOWN, "sends what isn't known")]
    if call.given == NOTHING:
        return [call.finding(silent, "opens a connection")]
    if _asks(call.given.text):
        return [call.finding(Risk.READ, "asks a server")]
    erases = _ERASES.search(call.given.text)
    return [
        call.finding(Risk.DESTRUCTIVE if erases else Risk.UNKNOWN, "sends a server what may be a command")
    ]


def netcat(call: Call) -> list[Finding]:
    """Judge nc, ncat and netcat by what they send; with `-z` nothing is sent."""
    if any(not word.is_named or not call.has("-z") for word in call.parts.loose):
        return [call.finding(Risk.UNKNOWN, "has words that may be options")]
    if call.has("-z"):
        return [call.finding(Risk.READ, "tries ports")]
    return _sent(call, silent=Risk.UNKNOWN)


def s_client(call: Call) -> list[Finding]:
    """Judge `openssl s_client`: people look at certificates with it, and may send anything."""
    return _sent(call, silent=Risk.READ)


def socat(call: Call) -> list[Finding]:
    """Judge socat between its own input and output and a socket; all else is unknown."""
    words = call.parts.operands
    if len(words) != 2 or any(word.text is None for word in words):
        return [call.finding(Risk.UNKNOWN, "has addresses that aren't known")]
    texts = [(word.text or "").upper() for word in words]
    if any("LISTEN" in text or "RECV" in text for text in texts):
        return [call.finding(Risk.CHANGE, "opens a port")]
    own = {"-", "STDIO", "STDIN", "STDOUT"}
    socket = re.compile(
        r"(TCP[46]?|UNIX|UNIX-CONNECT|TCP[46]?-CONNECT|OPENSSL|SSL)?:[^,!]*|/[^,!]*\.SOCK(ET)?"
    )
    if sum(text in own for text in texts) == 1 and any(socket.fullmatch(text) for text in texts):
        return _sent(call, silent=Risk.UNKNOWN)
    return [call.finding(Risk.UNKNOWN, "joins what may run or write anything")]


def tcpdump(call: Call) -> list[Finding]:
    """Judge the program that `tcpdump -z` runs on each file."""
    return [
        each
        for value in call.values("-z")
        for each in call.inner.words([value, unknown("FILE", operand=True)], NOTHING)
    ]


_GRPC_READS = re.compile(r"(grpc\.health\.v1\.Health[/.](Check|Watch)|grpc\.reflection\..*)")


def grpcurl(call: Call) -> list[Finding]:
    """Judge `grpcurl [OPTIONS] [ADDRESS] list|describe|METHOD [SYMBOL]`."""
    found = []
    if call.has("-protoset-out", "-proto-out-dir"):
        found.append(call.finding(Risk.CHANGE, "writes files"))
    if call.parts.loose:
        found.append(call.finding(Risk.UNKNOWN, "has words that may be options"))
    texts = [word.text for word in call.parts.operands]
    verb = texts[1] if len(texts) > 1 else None
    if texts[:1] in (["list"], ["describe"]) and call.has("-proto", "-protoset"):
        verb = texts[0]
    if verb in {"list", "describe"} or (verb is not None and _GRPC_READS.fullmatch(verb)):
        return [*found, call.finding(Risk.READ, "asks a server what it offers")]
    return [*found, call.finding(Risk.UNKNOWN, "calls a method, which may do anything")]
