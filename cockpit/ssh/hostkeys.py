"""Whether a host is the one it claims to be: its key against known_hosts, as strictly as OpenSSH.

A key that is known lets the connection go on, one that is changed or revoked never does, and one that nobody knows is
asked for. The asking happens once the connection is closed again, and then another one is made: a person who thinks
for a while would else run into the host's own time-out.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import asyncssh
from asyncssh.packet import SSHPacket
from asyncssh.public_key import (
    CERT_TYPE_HOST,
    SSHKey,
    SSHOpenSSHCertificate,
    decode_ssh_certificate,
    decode_ssh_public_key,
    get_certificate_algs,
    get_public_key_algs,
)
from msgspec import Struct

from cockpit.errors import HostKeyRefused
from cockpit.hygiene import clean_line
from cockpit.ssh import known_hosts
from cockpit.ssh.algorithms import PLAIN, chosen
from cockpit.ssh.asking import Asker, OfferedKey, Verdict
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.known_hosts import CA, DEFAULT_PORT, REVOKED, Entry
from cockpit.ssh.randomart import randomart
from cockpit.ssh.revoked import RevokedKeys, revoked_keys


class HostKeys:
    """Judges one host's keys.

    Args:
        config: The host's configuration.

    Attributes:
        address: The host as known_hosts writes it.
        pending: The key that nobody knows, to be asked for.
        refusal: Why the host was refused, and what is recorded of it.
    """

    def __init__(self, config: HostConfig) -> None:
        self._config = config
        self._principal = config.host_key_alias or config.hostname.lower()
        self.address = config.host_key_alias or known_hosts.address_of(config.hostname, config.port)
        self._entries: tuple[Entry, ...] = ()
        self._portless: tuple[Entry, ...] = ()
        self._revoked = RevokedKeys()
        self._accepted: set[SSHKey] = set()
        self.pending: SSHKey | None = None
        self.refusal: tuple[HostKeyRefused, SSHKey, Verdict | None] | None = None

    async def load(self) -> None:
        """Read the files, in a thread.

        Raises:
            ConfigError: RevokedHostKeys can't be read.
        """
        await asyncio.to_thread(self._load)

    def _load(self) -> None:
        config = self._config
        files = (*config.user_known_hosts_files, *config.global_known_hosts_files)
        self._entries = known_hosts.entries(files, self.address)
        self._portless = ()
        if not config.host_key_alias and config.port != DEFAULT_PORT:
            bare = known_hosts.address_of(config.hostname, DEFAULT_PORT)
            self._portless = known_hosts.entries(files, bare)
        self._revoked = revoked_keys(config.revoked_host_keys)

    def algorithms(self) -> list[str]:
        """Return the host key algorithms to ask for: first those of keys that are known, so that none else is shown.

        Certificates are asked for only where an authority is known, since a plain key says more than one that nobody
        vouches for.
        """
        known = {
            name.decode()
            for entry in (self._entries or self._portless)
            if not entry.marker
            for name in entry.key.sig_algorithms
        }
        said = self._config.host_key_algorithms
        plain = chosen(said, get_public_key_algs())
        return [
            *(chosen(said, get_certificate_algs()) if self._authorities() else ()),
            *(name for name in plain if name in known),
            *(name for name in plain if name not in known),
        ]

    def judge(self, blob: bytes) -> None:
        """Let a host's key pass.

        Raises:
            asyncssh.HostKeyNotVerifiable: It does not; `pending` or `refusal` says more.
        """
        self.pending = self.refusal = None
        try:
            certificate, key = _decoded(blob)
        except asyncssh.KeyImportError as error:
            raise asyncssh.HostKeyNotVerifiable(f"its key can't be read: {error}") from None
        self._check_revoked(certificate, key, blob)
        if certificate is not None and certificate.signing_key in self._authorities():
            self._check_certificate(certificate, blob)
        elif not self._known(key):
            self.pending = key
            raise asyncssh.HostKeyNotVerifiable("nobody knows its key")

    def _authorities(self) -> set[SSHKey]:
        entries = (*self._entries, *self._portless)
        return {entry.key for entry in entries if entry.marker == CA}

    def _revoked_certificate(self, certificate: SSHOpenSSHCertificate, blob: bytes) -> bool:
        details = _details(certificate, blob)
        return self._revoked.certificate(certificate, details.serial, details.key_id)

    def _check_revoked(self, certificate: SSHOpenSSHCertificate | None, key: SSHKey, blob: bytes) -> None:
        keys = {key, certificate.signing_key} if certificate is not None else {key}
        marked = [
            entry
            for entry in (*self._entries, *self._portless)
            if entry.marker == REVOKED and entry.key in keys
        ]
        listed = self._revoked.key(key) or (
            certificate is not None and self._revoked_certificate(certificate, blob)
        )
        if marked or listed:
            place = marked[0].place if marked else self._config.revoked_host_keys
            self._refuse(
                key,
                Verdict.REVOKED,
                f"its {_type(key)} key {fingerprint(key)} is revoked in {place}",
                "whoever revoked it knows why; get the host a new key, don't go on",
            )

    def _check_certificate(self, certificate: SSHOpenSSHCertificate, blob: bytes) -> None:
        signed_with = _details(certificate, blob).signed_with
        allowed = chosen(self._config.ca_signature_algorithms, get_public_key_algs(), PLAIN)
        try:
            if signed_with not in allowed:
                raise ValueError(f"signed with {clean_line(signed_with, 60)}, which is not allowed")
            certificate.validate(CERT_TYPE_HOST, self._principal)
        except ValueError as error:
            why = clean_line(str(error), 200)
            self._refuse(
                certificate.key,
                None,
                f"its host certificate is not valid: {why[:1].lower()}{why[1:]}",
                f"have its authority sign its key for {self._principal}",
            )

    def _known(self, key: SSHKey) -> bool:
        known = [entry for entry in self._entries if not entry.marker]
        if any(entry.key == key for entry in known) or key in self._accepted:
            return True
        if known:
            self._refuse_changed(key, known)
        return any(entry.key == key for entry in self._portless if not entry.marker)

    def _refuse_changed(self, key: SSHKey, known: Sequence[Entry]) -> None:
        alike = next((entry for entry in known if entry.key.algorithm == key.algorithm), known[0])
        self._refuse(
            key,
            Verdict.CHANGED,
            f"THE KEY OF THIS HOST HAS CHANGED: it shows the {_type(key)} key {fingerprint(key)}, but {alike.place} "
            f"knows the {_type(alike.key)} key {fingerprint(alike.key)}. Someone may be in between, reading all",
            f"ask whoever runs it; only if they gave it a new key: ssh-keygen -R {_word(self.address)} "
            f"-f {_word(alike.file)}",
        )

    def _refuse(self, key: SSHKey, verdict: Verdict | None, why: str, remedy: str) -> None:
        self.refusal = (HostKeyRefused(why, where=self._config.name, remedy=remedy), key, verdict)
        raise asyncssh.HostKeyNotVerifiable(why)

    async def settle(self, asker: Asker) -> None:
        """Deal with a key that did not pass: have it accepted and written down, so that one more try may be made.

        Raises:
            HostKeyRefused: It is not accepted, changed, revoked, or its certificate is not valid.
            ActionLogError: What was decided can't be recorded, so it doesn't hold.
        """
        if self.refusal is not None:
            error, shown, verdict = self.refusal
            if verdict is not None:
                await asker.record(self._offered(shown), verdict)
            raise error
        key, mode, name = self.pending, self._config.strict_host_key_checking, self._config.name
        assert key is not None
        offered = self._offered(key)
        what = f"its {_type(key)} key {fingerprint(key)} is not known"
        if mode == "yes":
            raise HostKeyRefused(
                f"{what}, and StrictHostKeyChecking is yes",
                where=name,
                remedy=f"add its key for {self.address} to {self._file() or 'a known_hosts file'} by hand",
            )
        if mode != "accept-new" and not await asker.accept(offered):
            await asker.record(offered, Verdict.DECLINED)
            raise HostKeyRefused(
                f"{what}, and was not accepted",
                where=name,
                remedy=f"compare it with what whoever runs {self.address} says, at a terminal: cockpit ssh {name}",
            )
        verdict = Verdict.ACCEPTED_UNASKED if mode == "accept-new" else Verdict.ACCEPTED
        await asker.record(offered, verdict)
        self._accepted.add(key)
        await self._write(asker, key)

    async def _write(self, asker: Asker, key: SSHKey) -> None:
        file, config = self._file(), self._config
        try:
            if not file:
                raise OSError("ssh_config names no known_hosts file")
            await asyncio.to_thread(known_hosts.add, file, self.address, key, hide=config.hash_known_hosts)
        except OSError as error:
            why = error.strerror or str(error)
            asker.tell(config.name, f"its key is accepted for now, but not kept in {file or 'a file'}: {why}")

    def _file(self) -> str:
        return next(iter(self._config.user_known_hosts_files), "")

    def _offered(self, key: SSHKey) -> OfferedKey:
        return OfferedKey(
            hop=self._config.name,
            address=self.address,
            algorithm=key.get_algorithm(),
            fingerprint=fingerprint(key),
            randomart=picture(key),
        )


def fingerprint(key: SSHKey) -> str:
    """Return a key's fingerprint as `ssh-keygen -l` prints it."""
    return key.get_fingerprint()


def picture(key: SSHKey) -> str:
    """Return a key's picture as `ssh-keygen -lv` draws it."""
    return randomart(key.public_data, f"{_type(key)} {_bits(key)}")


def _decoded(blob: bytes) -> tuple[SSHOpenSSHCertificate | None, SSHKey]:
    try:
        certificate = decode_ssh_certificate(blob)
    except asyncssh.KeyImportError:
        return None, decode_ssh_public_key(blob)
    if not isinstance(certificate, SSHOpenSSHCertificate):
        raise asyncssh.KeyImportError("a certificate that is none of OpenSSH's")
    return certificate, certificate.key


class _Details(Struct, frozen=True):
    """What of a certificate asyncssh keeps to itself."""

    serial: int
    key_id: str
    signed_with: str


def _details(certificate: SSHOpenSSHCertificate, blob: bytes) -> _Details:
    packet, own = SSHPacket(blob), SSHPacket(certificate.key.public_data)
    for _ in range(2):  # its type and its nonce, as many fields as the type before a plain key
        packet.get_string()
    own.get_string()
    while own:
        own.get_string()
        packet.get_string()
    serial, _ = packet.get_uint64(), packet.get_uint32()
    key_id, _ = packet.get_string(), packet.get_string()
    for _ in range(2):  # valid from and to
        packet.get_uint64()
    for _ in range(4):  # options, extensions, reserved, the authority's key
        packet.get_string()
    signature = SSHPacket(packet.get_string())
    return _Details(serial, key_id.decode(errors="replace"), signature.get_string().decode(errors="replace"))


def _type(key: SSHKey) -> str:
    name = key.get_algorithm().partition("@")[0]
    kind = name.removeprefix("sk-").removeprefix("ssh-").partition("-")[0].upper()
    return f"{kind}-SK" if name.startswith("sk-") else kind


def _bits(key: SSHKey) -> int:
    packet = SSHPacket(key.public_data)
    kind = packet.get_string()
    if kind == b"ssh-rsa":
        packet.get_mpint()
        return packet.get_mpint().bit_length()
    digits = re.search(rb"nistp(\d+)$", kind)
    return int(digits[1]) if digits else 256


def _word(text: str) -> str:
    return f"'{text}'" if re.search(r"[^A-Za-z0-9_@%+=:,./-]", text) else text
