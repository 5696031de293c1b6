"""The one seam to `ssh-keygen -Y sign` and `-Y verify`: signatures with the SSH keys that people have.

A key that wants a passphrase is used through an agent: nothing here ever asks for one, and none is in any error. What
was signed for one purpose, its namespace, holds for no other.
Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import struct
import tempfile
from pathlib import Path

from cockpit.errors import CommandError, SignatureError
from cockpit.process import capture

CHECKPOINT = "cockpit-checkpoint@cockpit"
TOMBSTONE = "cockpit-tombstone@cockpit"
APPROVAL = "cockpit-approval@cockpit"
EXPORT = "cockpit-export@cockpit"

TIMEOUT_S = 30.0
"""Seconds a signature may take: a key on a token waits for a touch."""
_KEYGEN = "ssh-keygen"


async def sign(data: bytes, key: Path, namespace: str, *, timeout: float = TIMEOUT_S) -> str:
    """Return a signature, armoured text.

    Args:
        data: What to sign.
        key: A private key, or the public half of one that an agent holds.
        namespace: What the signature is for.
        timeout: Seconds it may take.

    Raises:
        SignatureError: The key can't be used, or `ssh-keygen` is missing.
    """
    status, out, err = await _keygen(
        "sign", "-f", str(key), "-n", namespace, where=key, stdin=data, timeout=timeout
    )
    text = out.decode(errors="replace")
    if status or not text.startswith("-----BEGIN SSH SIGNATURE-----"):
        what, remedy = _why_not(err.decode(errors="replace"), key)
        raise SignatureError(f"nothing can be signed with it: {what}", where=str(key), remedy=remedy)
    return text


async def verify(data: bytes, signature: str, identity: str, allowed_signers: Path, namespace: str) -> None:
    """Check that an identity signed exactly this, for this purpose.

    Raises:
        SignatureError: It did not, may not sign, or that can't be checked.
    """
    await asyncio.to_thread(_must_be_readable, allowed_signers)
    with _file(signature) as file:
        arguments = ("-f", str(allowed_signers), "-I", identity, "-n", namespace, "-s", file.name)
        status, _, err = await _keygen("verify", *arguments, where=allowed_signers, stdin=data)
    if status:
        text = err.decode(errors="replace").lower()
        if "incorrect signature" in text or "signature verification failed" in text:
            what = f"the signature is not one of {identity} over this"
        elif "namespace" in text:
            what = f"the signature was made for another purpose than {namespace}"
        else:
            what = f"the signature is of no key that {identity} may sign with"
        raise SignatureError(what, where=str(allowed_signers))


async def signer(signature: str, allowed_signers: Path) -> str:
    """Return the identity whose key made a signature; whether the signature holds is for `verify` to say.

    Raises:
        SignatureError: No key in the file made it.
    """
    await asyncio.to_thread(_must_be_readable, allowed_signers)
    with _file(signature) as file:
        arguments = ("-f", str(allowed_signers), "-s", file.name)
        status, out, _ = await _keygen("find-principals", *arguments, where=allowed_signers)
    names = out.decode(errors="replace").splitlines()
    if status or not names:
        raise SignatureError(
            "the signature is of no key that is allowed to sign",
            where=str(allowed_signers),
            remedy="a line there is `NAME ssh-ed25519 KEY`, see `man ssh-keygen`",
        )
    return names[0].split(",")[0]


async def names_of(fingerprint: str, allowed_signers: Path) -> frozenset[str]:
    """Return the identities that a key with that fingerprint may sign as.

    Raises:
        SignatureError: The list can't be read.
    """
    await asyncio.to_thread(_must_be_readable, allowed_signers)
    lines = await asyncio.to_thread(allowed_signers.read_text, errors="replace")
    return frozenset(
        name
        for words in (line.split() for line in lines.splitlines() if not line.lstrip().startswith("#"))
        if any(_fingerprint_of_key(word) == fingerprint for word in words[1:])
        for name in words[0].split(",")
    )


async def fingerprint(key: Path) -> str:
    """Return a key's fingerprint, as `SHA256:…`.

    Raises:
        SignatureError: It can't be read, or is no key.
    """
    status, out, _ = await _run((_KEYGEN, "-l", "-E", "sha256", "-f", str(key)), where=key)
    words = out.decode(errors="replace").split()
    if status or len(words) < 2 or not words[1].startswith("SHA256:"):
        raise SignatureError("it is no SSH key, or can't be read", where=str(key))
    return words[1]


def fingerprint_of(signature: str) -> str:
    """Return the fingerprint of the key that a signature names; whether it holds is for `verify` to say.

    Raises:
        SignatureError: It is no signature.
    """
    return _as_fingerprint(_key_in(signature))


def public_key_of(signature: str) -> str:
    """Return the public key that a signature names, as `ssh-ed25519 AAAA…`.

    Raises:
        SignatureError: It is no signature.
    """
    key = _key_in(signature)
    length = int.from_bytes(key[:4], "big")
    kind = key[4 : 4 + length].decode("ascii", errors="replace")
    return f"{kind} {base64.b64encode(key).decode()}"


def _key_in(signature: str) -> bytes:
    body = "".join(line for line in signature.splitlines() if "-----" not in line)
    try:
        blob = base64.b64decode(body, validate=True)
        (length,) = struct.unpack_from(">I", blob, 10)
        key = blob[14 : 14 + length]
    except (ValueError, struct.error):
        blob, key, length = b"", b"", -1
    if not blob.startswith(b"SSHSIG") or len(key) != length:
        raise SignatureError("it is no SSH signature")
    return key


def _fingerprint_of_key(text: str) -> str:
    """Return the fingerprint of a public key's base64, empty for anything else."""
    try:
        blob = base64.b64decode(text, validate=True)
    except ValueError:
        return ""
    return _as_fingerprint(blob) if blob.startswith(b"\x00\x00\x00") else ""


def _as_fingerprint(blob: bytes) -> str:
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def _file(signature: str) -> tempfile._TemporaryFileWrapper[str]:
    """Lend a signature to `ssh-keygen`, which takes one only from a file."""
    file = tempfile.NamedTemporaryFile("w", prefix="cockpit-", suffix=".sig", encoding="utf-8")  # noqa: SIM115
    file.write(signature)
    file.flush()
    return file


async def _keygen(
    what: str, *arguments: str, where: Path, stdin: bytes | None = None, timeout: float = TIMEOUT_S
) -> tuple[int, bytes, bytes]:
    return await _run((_KEYGEN, "-Y", what, *arguments), where=where, stdin=stdin, timeout=timeout)


async def _run(
    argv: tuple[str, ...], *, where: Path, stdin: bytes | None = None, timeout: float = TIMEOUT_S
) -> tuple[int, bytes, bytes]:
    """Run `ssh-keygen` so that it can ask nobody anything: no terminal, no window."""
    env = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        return await capture(argv, timeout=timeout, stdin=stdin, env=env)
    except CommandError as error:
        raise SignatureError(
            f"{_KEYGEN} can't be used: {error.message}",
            where=str(where),
            remedy="it comes with OpenSSH 8.2 or newer",
        ) from None


def _must_be_readable(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except OSError as error:
        raise SignatureError(
            f"the list of allowed signers can't be read: {error.strerror}", where=str(file)
        ) from None


def _why_not(said: str, key: Path) -> tuple[str, str]:
    """Say what keeps a key from signing, by what `ssh-keygen` said, and what to do."""
    low = said.lower()
    if "permissions" in low or "unprotected" in low:
        return "others may read it", f"run `chmod 600 {key}`"
    if "passphrase" in low:
        return "it wants a passphrase", f"run `ssh-add {key}` first"
    if "no such file" in low:
        return "there is no such file", "name another with `signing_key` in [log]"
    if "agent" in low or "no private key found" in low:
        return "no agent that can be reached holds it", f"run `ssh-add {key}` first"
    return "it can't be read as a key", "see what `ssh-keygen -l -f` says of it"
