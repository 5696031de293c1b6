"""Private keys, their public halves and their certificates, as they lie on the disk."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import asyncssh
from asyncssh.packet import PacketDecodeError, SSHPacket
from asyncssh.public_key import CERT_TYPE_USER, SSHKey, SSHOpenSSHCertificate, decode_ssh_public_key
from msgspec import Struct

LARGEST = 1 << 20
"""Bytes read of a file at most."""
_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"
UNREADABLE = (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, PacketDecodeError, ValueError)
"""What asyncssh raises for a key that can't be read."""


class KeyFile(Struct, frozen=True, kw_only=True):
    """An IdentityFile.

    Attributes:
        path: The private key's file.
        public: Its public half; None where only the private one, once decrypted, would say it.
        private: Whether the private half is here, and not in an agent alone.
        certificate: The certificate beside it.
        exposed: Whether others may read the private half, so that it must not be used.
    """

    path: str
    public: SSHKey | None
    private: bool
    certificate: SSHOpenSSHCertificate | None = None
    exposed: bool = False


def key_files(paths: Sequence[str]) -> Iterator[KeyFile]:
    """Look at the files of an IdentityFile list; those that aren't there are left out."""
    for path in paths:
        data = _read(path)
        if data is None and _read(f"{path}.pub") is None:
            continue
        private = data is not None and b"PRIVATE KEY" in data
        yield KeyFile(
            path=path,
            public=_public(path, data),
            private=private,
            certificate=certificate(f"{path}-cert.pub"),
            exposed=private and _exposed(path),
        )


def certificate(path: str) -> SSHOpenSSHCertificate | None:
    """Return a user's certificate; None where there is none that can be read."""
    data = _read(path)
    if data is None:
        return None
    with contextlib.suppress(*UNREADABLE):
        read = asyncssh.import_certificate(data)
        if isinstance(read, SSHOpenSSHCertificate) and read._cert_type == CERT_TYPE_USER:
            return read
    return None


def private_key(path: str, passphrase: str | None = None) -> SSHKey:
    """Read a private key.

    Raises:
        ValueError: It can't be read, or not with this passphrase.
    """
    data = _read(path)
    if data is None:
        raise ValueError("it can't be read")
    return asyncssh.import_private_key(data, passphrase)


def _public(path: str, data: bytes | None) -> SSHKey | None:
    """Return a key's public half: what stands in the private one's file unencrypted, else the file beside it."""
    for attempt in (_inside, _unencrypted, _plain):
        with contextlib.suppress(*UNREADABLE, binascii.Error):
            if data is not None and (public := attempt(data)) is not None:
                return public
    beside = _read(f"{path}.pub")
    with contextlib.suppress(*UNREADABLE):
        return _plain(beside) if beside is not None else None
    return None


def _inside(data: bytes) -> SSHKey | None:
    if not data.lstrip().startswith(_BEGIN):
        return None
    body = data.split(_BEGIN, 1)[1].split(b"-----END", 1)[0]
    blob = base64.b64decode(body)
    if not blob.startswith(_MAGIC):
        return None
    packet = SSHPacket(blob[len(_MAGIC) :])
    for _ in range(3):  # cipher, key derivation, its options
        packet.get_string()
    packet.get_uint32()
    return decode_ssh_public_key(packet.get_string())


def _unencrypted(data: bytes) -> SSHKey | None:
    return asyncssh.import_private_key(data).convert_to_public() if b"PRIVATE KEY" in data else None


def _plain(data: bytes) -> SSHKey | None:
    return asyncssh.import_public_key(data)


def _read(path: str) -> bytes | None:
    try:
        with Path(path).open("rb") as opened:
            return opened.read(LARGEST)
    except OSError:
        return None


def _exposed(path: str) -> bool:
    try:
        status = Path(path).stat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and bool(stat.S_IMODE(status.st_mode) & 0o077)
