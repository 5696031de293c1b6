"""What an HTTP source can be told, and what its credentials come to: headers, and a TLS context."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from cockpit.errors import ConfigError, Denied, Unreachable
from cockpit.hygiene import clean_text
from cockpit.secrets import resolve
from cockpit.source import FilePath, Options, Secret


class HttpOptions(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every source that asks an HTTP API can be told."""

    url: str
    """The address, such as `https://prometheus.example:9090`; a path before the API's own is kept."""
    user: str = ""
    """The user of HTTP basic authentication."""
    password: Secret = Secret()
    """The password of HTTP basic authentication."""
    bearer: Secret = Secret()
    """A token sent as `Authorization: Bearer …`; a file that is rotated is read again when the token is refused."""
    headers: dict[str, str | Secret] = {}
    """Further request headers, such as a tenant's; a value may be a secret."""
    client_cert: FilePath = ""
    """A PEM file with the client certificate (and its chain) that the server asks for (mTLS)."""
    client_key: FilePath = ""
    """A PEM file with that certificate's private key, unencrypted; empty when `client_cert` holds it too."""
    ca_file: FilePath = ""
    """A PEM file with the authorities that sign the server's certificate; empty means the system's."""
    verify: bool = True
    """Whether the server's certificate is verified. Without it anybody on the way can read the credentials."""


async def resolved(
    options: HttpOptions, userinfo: tuple[str, str], where: str
) -> tuple[Mapping[str, bytes], tuple[str, ...]]:
    """Return the headers that hold credentials, and the texts that must never be shown.

    Args:
        options: What the source was told.
        userinfo: User and password out of the address, used where the options name none.
        where: The source's name, for errors.

    Raises:
        ConfigError: A secret can't be had.
    """
    secrets, headers = list[str](), dict[str, bytes]()
    user, password = userinfo
    if options.user or options.password:
        user = options.user
        password = await resolve(options.password, where) if options.password else ""
    if user or password:
        pair = base64.b64encode(f"{user}:{password}".encode())
        secrets += [password, pair.decode()]
        headers["authorization"] = b"Basic " + pair
    if options.bearer:
        token = await resolve(options.bearer, where)
        secrets.append(token)
        headers["authorization"] = b"Bearer " + token.encode()
    for name, value in options.headers.items():
        if isinstance(value, Secret):
            value = await resolve(value, where)
            secrets.append(value)
        headers[name.lower()] = value.encode()
    # What is shorter would blot out half of an error's words.
    return headers, tuple(secret for secret in secrets if len(secret) > 3)


def missing_credential(options: HttpOptions, *, known: bool) -> str:
    """Return which option to set or to check after a refusal; `known` tells that the address holds a user."""
    if options.bearer:
        return "check `bearer`"
    if options.user or options.password or known:
        return "check `user` and `password`"
    if options.client_cert:
        return "the client certificate was not enough: set `user` and `password`, or `bearer`"
    return "set `user` and `password`, or `bearer`, or `client_cert`"


def tls_context(url: str, options: HttpOptions, where: str, *, mine: bool) -> ssl.SSLContext:
    """Build the TLS context; it reads files, so it runs in a thread.

    Args:
        url: The address it is for. Without TLS nothing is loaded: a client stays with its own origin.
        options: What the source was told.
        where: The source's name, for errors.
        mine: Whether to carry the client certificate; not to another host.

    Raises:
        SourceError: A file can't be read, or is no certificate or key.
    """
    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = _trusting(options.ca_file, where)
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if mine and options.client_cert:
        cert = str(Path(options.client_cert).expanduser())
        key = str(Path(options.client_key).expanduser()) if options.client_key else None
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(cert, key, password=lambda: "")
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not readable"
            raise Denied(
                f"the client certificate or its key can't be used: {reason}",
                where=where,
                remedy="check `client_cert` and `client_key`: PEM files, the key unencrypted",
            ) from None
    return context


def _trusting(ca_file: str, where: str) -> ssl.SSLContext:
    """Make a context that trusts one file's authorities, else the system's, else the ones httpx brings."""
    path = str(Path(ca_file).expanduser()) if ca_file else None
    if path is None:
        found = ssl.get_default_verify_paths()
        if found.cafile is None and found.capath is None:
            import certifi

            path = certifi.where()
    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ValueError):
        raise Unreachable(
            f"no authorities can be read from {path}", where=where, remedy="`ca_file` is a PEM file"
        ) from None


def without_userinfo(url: str) -> tuple[str, tuple[str, str]]:
    """Split (address, (user, password)) of a URL that may hold credentials.

    Raises:
        ConfigError: It is no address of HTTP.
    """
    try:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        raise ConfigError("not an address", key="url", remedy="write it as http://host:port/path") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError("not an address", key="url", remedy="write it as http://host:port/path")
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), (user, password)


def shown(url: str) -> str:
    """Return an address without credentials and query."""
    parts = urlsplit(url)
    return clean_text(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")), 300)
