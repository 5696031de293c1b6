"""Requests over HTTP by curl, wget, HTTPie and xh: their method, what they send, and the files they write.

Source: curl(1), wget(1), HTTPie's documentation; RFC 9110, 9.2.1 (safe methods). A form that overrides the method
(`X-HTTP-Method-Override`, `_method=`) counts as the method that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.options import Option
from cockpit.guard.words import Word

SINKS = frozenset({"-", "/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND"})
_SCHEMES = frozenset(
    {"http", "https", "ftp", "ftps", "sftp", "scp", "tftp", "file", "ldap", "ldaps", "smb", "smbs"}
)
_MAIL = ("dict.", "imap.", "pop3.", "smtp.", "gopher.")
"""Beginnings of a host's name from which curl takes the protocol."""
_DESTROYS = re.compile(
    r"(?i)_delete_by_query|/delete_series\b|/prune\b|/truncate\b|\bflush(?:all|db|_all)\b|\b(?:drop|truncate)[+\s]+(?:table|database)\b"
    r"|\bdelete[+\s]+from\b|_destroy\b|/rollback\b|\bDELE\b|\bRMD\b|\bshutdown\b"
)
_OVERRIDES = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE", "PURGE"})
_IN_QUERY = re.compile(r"(?i)(?:^|[?&])_method=(\w+)")


def _by_method(call: Call, method: str, about: Sequence[Word]) -> list[Finding]:
    """Judge a method, with the addresses and bodies that it is about."""
    method = method.upper()
    for each in about:
        if match := _IN_QUERY.search(each.text or each.start):
            method = match[1].upper() if match[1].upper() not in _SAFE else method
    if method in _SAFE:
        return []
    texts = [each.text or each.start for each in about]
    if method == "DELETE" or any(_DESTROYS.search(text) for text in [*texts, method]):
        return [call.finding(Risk.DESTRUCTIVE, f"asks a server to delete ({method})")]
    return [call.finding(Risk.CHANGE, f"sends a {method} request")]


def _headers(call: Call, headers: Sequence[Word], separators: str = ":") -> list[Finding]:
    """Judge headers that replace the method."""
    found = []
    for header in headers:
        known = header.start if header.text is None else header.text
        name, separator, value = known.partition(separators)
        name, value = name.strip().lower(), value.strip().upper()
        if known.startswith("@") or (header.text is None and not separator):
            found.append(call.finding(Risk.UNKNOWN, f"sends a header that isn't known: {header.raw}"))
        elif name in _OVERRIDES and value not in _SAFE:
            risk = Risk.DESTRUCTIVE if value == "DELETE" else Risk.CHANGE
            found.append(call.finding(risk, f"has the server take it for a {value or 'different'} request"))
        elif name == "x-method" and value in _METHODS:
            found.append(call.finding(Risk.CHANGE, f"has the server take it for a {value} request"))
    return found


def _written(call: Call, values: Sequence[Word]) -> list[Finding]:
    return [
        call.finding(Risk.CHANGE, f"writes a file: {value.shown}")
        for value in values
        if value.text not in SINKS or value.glob
    ]


def _address(call: Call, word: Word) -> list[Finding]:
    """Judge an address by its protocol."""
    if _is_path(word):
        return []
    known = word.start if word.text is None else word.text
    scheme, separator, _ = known.partition("://")
    if separator and scheme.lower() in _SCHEMES:
        return []
    if not separator and (word.text is not None or set(known) & set(":/.")):
        if not known.lower().startswith(_MAIL):
            return []
        scheme = known.partition(".")[0]
    if _DESTROYS.search(known) or re.search(r"(?i)_(?:del|unlink|flush)|:(?:del|flush)", known):
        return [call.finding(Risk.DESTRUCTIVE, f"sends a command by {scheme}")]
    return [call.finding(Risk.UNKNOWN, f"has an address whose protocol isn't known: {word.raw}")]


def _is_path(word: Word) -> bool:
    """Return whether a word is a path behind a base that isn't known, such as `"$BASE/health"`: it is an address."""
    return word.is_named and re.match(r'"\$(\w+|\{\w+\})[:/]', word.raw) is not None


def _unlisted(call: Call) -> Iterator[Finding]:
    for option in call.parts.options:
        if not option.listed and not option.names[0].startswith("--no-"):
            yield call.finding(Risk.UNKNOWN, f"has the option {option.names[0]}, which no rule knows")
    for word in call.parts.loose:
        if _is_path(word):
            continue
        yield call.finding(Risk.UNKNOWN, f"has a word that may be an option: {word.raw}")


_DATA = (
    "-d", "--data", "--data-ascii", "--data-binary", "--data-raw", "--data-urlencode", "--json",
)  # fmt: skip
_FORMS = ("-F", "--form", "--form-string")
_SAVES = (
    "-o", "--output", "-D", "--dump-header", "-c", "--cookie-jar", "--trace", "--trace-ascii", "--stderr",
    "--libcurl",
)  # fmt: skip
_CHANGES = frozenset(
    {
        "-O", "--remote-name", "--remote-name-all", "--hsts", "--alt-svc", "--etag-save", "--ssl-sessions",
        "--mail-from", "--mail-rcpt", "--metalink", "--ftp-create-dirs",
    }
)  # fmt: skip
_LOADS = frozenset({"-K", "--config", "--engine", "-t", "--telnet-option"})


def curl(call: Call) -> list[Finding]:
    """Judge `curl [OPTIONS] URL…`, each group of options between `--next` by itself."""
    options = call.parts.options
    addresses = [*call.parts.operands, *call.values("--url")]
    found = [
        *_unlisted(call),
        *_written(call, _of(options, _SAVES)),
        *_headers(call, _of(options, ("-H", "--header"))),
    ]
    for option in options:
        found += _curl_option(call, option)
    for address in addresses:
        found += _address(call, address)
    for group in _groups(options):
        found += _request(call, group, addresses)
    return found or [call.finding(Risk.READ, "fetches from a server")]


def _of(options: Sequence[Option], names: Sequence[str]) -> list[Word]:
    return [each.value for each in options if each.value is not None and set(names) & set(each.names)]


def _groups(options: Sequence[Option]) -> list[list[Option]]:
    groups: list[list[Option]] = [[]]
    for option in options:
        if {"--next", "-:"} & set(option.names):
            groups.append([])
        else:
            groups[-1].append(option)
    return groups


def _curl_option(call: Call, option: Option) -> list[Finding]:
    names = set(option.names)
    text = option.value.text if option.value is not None else None
    if names & _CHANGES:
        return [call.finding(Risk.CHANGE, f"with {option.names[0]} writes a file or sends mail")]
    if names & _LOADS:
        return [
            call.finding(Risk.UNKNOWN, f"with {option.names[0]} takes settings or code that aren't known")
        ]
    if names & {"-w", "--write-out"}:
        if text is None or text.startswith("@"):
            return [call.finding(Risk.UNKNOWN, "takes its form of output from elsewhere")]
        if "%output{" in text:
            return [call.finding(Risk.CHANGE, "writes a file")]
    if names & {"-Q", "--quote"}:
        deletes = text is not None and re.match(r"(?i)[-+*]*\s*(dele|rmd|rm|rmdir)\b", text)
        risk = Risk.DESTRUCTIVE if deletes else Risk.CHANGE
        return [call.finding(risk, "gives a server a command")]
    if names & {"--proto-default"} and text not in {"http", "https"}:
        return [call.finding(Risk.UNKNOWN, "speaks a protocol that isn't known")]
    if names & {"--url"} and text is not None and text.startswith("@"):
        return [call.finding(Risk.UNKNOWN, "takes addresses from a file")]
    return []


def _request(call: Call, group: Sequence[Option], addresses: Sequence[Word]) -> list[Finding]:
    """Judge the request that a group of options makes."""

    def has(*names: str) -> bool:
        return any(set(names) & set(each.names) for each in group)

    data, methods = _of(group, _DATA), _of(group, ("-X", "--request"))
    about = [*addresses, *data, *_of(group, ("--request-target", "--url-query"))]
    uploads = has("-T", "--upload-file")
    if methods and methods[-1].text is None:
        return [call.finding(Risk.UNKNOWN, "has a method that isn't known")]
    if methods and not (methods[-1].text in _SAFE and (uploads or has(*_FORMS))):
        return _by_method(call, methods[-1].text or "", about)
    if uploads:
        return _by_method(call, "PUT", about)
    if has(*_FORMS) or (has(*_DATA) and not has("-G", "--get")):
        return _by_method(call, "POST", about)
    if any(_may_be_file(each) for each in data):
        return [call.finding(Risk.CHANGE, "sends a file")]
    return _by_method(call, "GET", about)


def _may_be_file(data: Word) -> bool:
    """Return whether data is, or may be, `@file` or `name@file`; behind `name=` it is text."""
    if data.text is None and "=" not in data.start:
        return True
    known = data.start if data.text is None else data.text
    return not known or "@" in known.partition("=")[0]


_WGET_CHANGES = frozenset(
    {
        "-b", "--background", "--save-cookies", "--hsts-file", "--warc-file", "--rejected-log", "--delete-after",
        "--unlink", "--backups", "-m", "--mirror", "-p", "--page-requisites", "-N", "--timestamping", "-k",
        "--convert-links", "-K", "--backup-converted", "--warc-cdx",
    }
)  # fmt: skip
_WGET_LOADS = frozenset({"--use-askpass", "--config"})
_WGETRC = re.compile(r"(?i)\s*(robots|https?_proxy|use_proxy|timeout|tries|check_certificate)\s*=\s*\S*")


def wget(call: Call) -> list[Finding]:
    """Judge `wget [OPTIONS] URL…`, which writes a file unless it is told otherwise."""
    found = [*_unlisted(call), *_headers(call, call.values("--header"))]
    outputs = call.values("-O", "--output-document")
    found += _written(call, [*outputs, *call.values("-o", "--output-file", "-a", "--append-output")])
    if not outputs and not call.has("--spider", "-V", "--version", "-h", "--help"):
        found.append(call.finding(Risk.CHANGE, "writes a file"))
    for option in call.parts.options:
        names = set(option.names)
        if names & _WGET_CHANGES:
            found.append(call.finding(Risk.CHANGE, f"with {option.names[0]} writes or deletes files"))
        elif names & _WGET_LOADS:
            found.append(
                call.finding(Risk.UNKNOWN, f"with {option.names[0]} takes settings or runs a program")
            )
        elif names & {"-e", "--execute"} and not _WGETRC.fullmatch(
            (option.value and option.value.text) or ""
        ):
            found.append(call.finding(Risk.CHANGE, "is given a setting that may write"))
    for address in call.parts.operands:
        found += _address(call, address)
    bodies = call.values("--post-data", "--body-data")
    methods = call.values("--method")
    about = [*call.parts.operands, *bodies]
    if methods and methods[-1].text is None:
        found.append(call.finding(Risk.UNKNOWN, "has a method that isn't known"))
    elif methods:
        found += _by_method(call, methods[-1].text or "", about)
    elif call.has("--post-data", "--post-file"):
        found += _by_method(call, "POST", about)
    else:
        found += _by_method(call, "GET", about)
    return found or [call.finding(Risk.READ, "fetches from a server")]


_ITEM = re.compile(r"\A(?:\\.|[^\\:=@])*(==|:=@|:=|=@|:@|=|:|@|;)", re.DOTALL)


def httpie(call: Call) -> list[Finding]:
    """Judge `http [OPTIONS] [METHOD] URL [ITEM…]`: an item that is sent makes it a POST."""
    found = list(_unlisted(call))
    if call.has("-d", "--download", "-o", "--output", "--session"):
        values = call.values("-o", "--output")
        if call.has("-d", "--download", "--session") or not values or _written(call, values):
            found.append(call.finding(Risk.CHANGE, "writes a file"))
    if call.has("--offline", "--curl", "--curl-long"):
        return found or [call.finding(Risk.READ, "shows a request and doesn't send it")]
    words = call.parts.operands
    if not words or any(word.many and not word.glob for word in words):
        return [*found, call.finding(Risk.UNKNOWN, "has words that aren't known")]
    method, rest = "", list(words)
    if len(words) > 1 and re.fullmatch(r"[A-Za-z]+", words[0].text or ""):
        method, rest = words[0].text or "", rest[1:]
    elif len(words) > 1 and words[0].text is None and not set(words[0].start) & set(":/."):
        return [*found, call.finding(Risk.UNKNOWN, "has a method that isn't known")]
    address, items = rest[0], rest[1:]
    sends, headers = _items(items)
    found += _headers(call, headers)
    if call.has("--raw") or call.given != NOTHING or call.has("--multipart"):
        sends = True
    found += _by_method(call, method or ("POST" if sends else "GET"), [address, *items])
    return found or [call.finding(Risk.READ, "fetches from a server")]


def _items(items: Sequence[Word]) -> tuple[bool, list[Word]]:
    """Return whether items make a body, and the headers among them."""
    sends, headers = False, []
    for item in items:
        match = _ITEM.match(item.text if item.text is not None else item.start)
        if match is None or match[1] in {"=", ":=", "=@", ":=@", "@"}:
            sends = True
        elif match[1] == ":":
            headers.append(item)
        elif match[1] == ":@":
            sends = True
    return sends, headers
