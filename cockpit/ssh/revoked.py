"""RevokedHostKeys: keys that no host may show, as a list of public keys or a key revocation list (KRL)."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import asyncssh
from asyncssh.packet import PacketDecodeError, SSHPacket
from asyncssh.public_key import SSHKey, SSHOpenSSHCertificate

from cockpit.errors import ConfigError

_MAGIC = b"SSHKRL\n\0"
_CERTIFICATES, _KEYS, _SHA1, _SIGNATURE, _SHA256 = 1, 2, 3, 4, 5
_SERIALS, _RANGE, _BITMAP, _KEY_IDS = 0x20, 0x21, 0x22, 0x23


class RevokedKeys:
    """What a file revokes."""

    def __init__(self) -> None:
        self._keys: set[bytes] = set()
        self._digests: set[bytes] = set()
        self._serials: list[tuple[bytes, int, int]] = []
        self._key_ids: set[tuple[bytes, str]] = set()

    def key(self, key: SSHKey) -> bool:
        """Tell whether a key is revoked."""
        blob = key.public_data
        return blob in self._keys or bool(
            self._digests
            & {hashlib.sha256(blob).digest(), hashlib.sha1(blob, usedforsecurity=False).digest()}
        )

    def certificate(self, certificate: SSHOpenSSHCertificate, serial: int, key_id: str) -> bool:
        """Tell whether a certificate is revoked: it, its key, or its authority's."""
        if self.key(certificate.key) or self.key(certificate.signing_key):
            return True
        authorities = (b"", certificate.signing_key.public_data)
        return any(
            authority in authorities and low <= serial <= high for authority, low, high in self._serials
        ) or any((authority, key_id) in self._key_ids for authority in authorities)

    def read(self, data: bytes) -> None:
        """Take in what a file holds.

        Raises:
            PacketDecodeError: It is a KRL that can't be read.
        """
        if data.startswith(_MAGIC):
            self._krl(SSHPacket(data[len(_MAGIC) :]))
            return
        for line in data.decode(errors="replace").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                with contextlib.suppress(asyncssh.KeyImportError, ValueError):
                    self._keys.add(asyncssh.import_public_key(line.strip()).public_data)

    def _krl(self, packet: SSHPacket) -> None:
        if packet.get_uint32() != 1:
            raise PacketDecodeError("its version is not 1")
        for _ in range(3):  # its version, its date, its flags
            packet.get_uint64()
        for _ in range(2):  # reserved, comment
            packet.get_string()
        while packet:
            kind, section = packet.get_byte(), SSHPacket(packet.get_string())
            if kind == _SIGNATURE:
                return
            if kind == _CERTIFICATES:
                self._certificates(section)
                continue
            while section:
                (self._keys if kind == _KEYS else self._digests).add(section.get_string())

    def _certificates(self, section: SSHPacket) -> None:
        authority = section.get_string()
        section.get_string()
        while section:
            kind, part = section.get_byte(), SSHPacket(section.get_string())
            if kind == _RANGE:
                self._serials.append((authority, part.get_uint64(), part.get_uint64()))
            elif kind == _BITMAP:
                first, bits = part.get_uint64(), part.get_mpint()
                self._serials += [
                    (authority, first + bit, first + bit)
                    for bit in range(bits.bit_length())
                    if bits >> bit & 1
                ]
            while part and kind in (_SERIALS, _KEY_IDS):
                if kind == _SERIALS:
                    serial = part.get_uint64()
                    self._serials.append((authority, serial, serial))
                else:
                    self._key_ids.add((authority, part.get_string().decode(errors="replace")))


def revoked_keys(file: str) -> RevokedKeys:
    """Read a RevokedHostKeys file; an empty name revokes nothing.

    Raises:
        ConfigError: It can't be read: then no host can be trusted, as OpenSSH has it.
    """
    revoked = RevokedKeys()
    if file:
        try:
            revoked.read(Path(file).read_bytes())
        except (OSError, PacketDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise ConfigError(
                f"RevokedHostKeys can't be read, so no host key counts: {why}",
                file=file,
                remedy="mend the file, or take RevokedHostKeys out of ssh_config",
            ) from None
    return revoked
