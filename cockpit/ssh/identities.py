"""The keys that are offered to a host, in OpenSSH's order: by their public halves, so that a passphrase is asked for
only once the host would take the key.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import asyncssh
from asyncssh.public_key import (
    SSHCertificate,
    SSHKey,
    SSHKeyPair,
    SSHOpenSSHCertificate,
    get_certificate_algs,
    get_public_key_algs,
)

from cockpit.hygiene import clean_line
from cockpit.ssh import algorithms
from cockpit.ssh.agent import Agent, AgentKey, constraints, name_rsa_certificate
from cockpit.ssh.algorithms import chosen
from cockpit.ssh.asking import Operator, Secret
from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.keyfiles import UNREADABLE, KeyFile, certificate, key_files, private_key

_RSA = ("rsa-sha2-256", "rsa-sha2-512")
_RSA_CERTIFIED = [algorithms.certified(name).encode() for name in _RSA]
_TOUCH = "touch your security key"


class FileKey(SSHKeyPair):
    """A private key on the disk, which is read when it has to sign and not before.

    Args:
        path: The private key's file.
        public: Its public half.
        certified: The certificate to offer it with.
        sign: Signs with it.
    """

    _key_type = "file"

    def __init__(
        self,
        path: str,
        public: SSHKey,
        certified: SSHCertificate | None,
        sign: Callable[[FileKey, bytes], Awaitable[bytes]],
    ) -> None:
        name, names = public.algorithm, public.sig_algorithms
        super().__init__(name, name, names, names, public.public_data, None, certified)
        self.path = path
        self._sign = sign

    def set_sig_algorithm(self, sig_algorithm: bytes) -> None:
        """Choose how to sign."""
        super().set_sig_algorithm(sig_algorithm)
        name_rsa_certificate(self, sig_algorithm)

    async def sign_async(self, data: bytes) -> bytes:
        """Sign a login.

        Raises:
            ValueError: It can't be read, or nobody gave its passphrase.
        """
        return await self._sign(self, data)


class Identities:
    """What is offered to one host.

    Args:
        config: The host's configuration.
        operator: Asks for passphrases.

    Attributes:
        count: How many keys were offered.
    """

    def __init__(self, config: HostConfig, operator: Operator) -> None:
        self._config = config
        self._operator = operator
        self.count = 0
        self._offers: AsyncIterator[SSHKeyPair] | None = None
        self._agent = Agent(config.identity_agent) if config.identity_agent else None
        self._session: tuple[bytes, bytes, bytes] | None = None
        said = config.pubkey_accepted_algorithms
        self._signatures = chosen(said, get_public_key_algs())
        self._accepted = {*self._signatures, *chosen(said, (*get_certificate_algs(), *_RSA_CERTIFIED))}

    def options(self) -> dict[str, Any]:
        """Return the arguments of `asyncssh.connect` about signatures."""
        return {"signature_algs": self._signatures} if self._signatures else {"public_key_auth": False}

    def hear(self, key: SSHKey, blob: bytes) -> None:
        """Note the host's proof for the session, once it is verified: an agent may want to see it.

        Args:
            key: The host's key, which is about to be asked to verify that proof.
            blob: The key as it was sent.
        """
        verify = key.verify

        def heard(data: bytes, signature: bytes) -> bool:
            good = verify(data, signature)
            if good and self._session is None:
                self._session = (blob, data, signature)
            return good

        vars(key)["verify"] = heard

    async def next(self) -> SSHKeyPair | None:
        """Return the next key to offer; None when all were."""
        if self._offers is None:
            self._offers = self._each()
        return await anext(self._offers, None)

    def close(self) -> None:
        """Let go of the agent."""
        if self._agent is not None:
            self._agent.close()

    async def _each(self) -> AsyncIterator[SSHKeyPair]:
        found, certificates = await asyncio.to_thread(self._read)
        files = [file for file in found if not file.exposed]
        for path in (clean_line(file.path) for file in found if file.exposed):
            self._operator.tell(
                f"others may read the private key {path}, so it is not used: chmod 600 {path}"
            )
        offered: set[bytes] = set()
        for offer in _ordered(files, certificates, await self._agent_keys(), self._config, self._signer):
            pair = await self._late(offer) if isinstance(offer, KeyFile) else offer
            if pair is not None and pair.public_data not in offered and self._acceptable(pair):
                offered.add(pair.public_data)
                self.count += 1
                yield pair

    def _read(self) -> tuple[list[KeyFile], list[SSHOpenSSHCertificate]]:
        given = (certificate(path) for path in self._config.certificate_files)
        files = key_files(self._config.identity_files)
        return list(files), [each for each in given if each is not None]

    async def _agent_keys(self) -> list[AgentKey]:
        if self._agent is None:
            return []
        try:
            if self._session is not None:
                await self._agent.bind(*self._session)
            return await self._agent.offered(self._touched)
        except (OSError, ValueError):
            return []

    @contextlib.contextmanager
    def _touched(self) -> Iterator[None]:
        self._operator.tell(_TOUCH)
        with self._operator.waited_for():
            yield

    def _signer(self, file: KeyFile, certified: SSHCertificate | None) -> SSHKeyPair:
        assert file.public is not None
        return FileKey(file.path, file.public, certified, self._sign)

    def _acceptable(self, pair: SSHKeyPair) -> bool:
        """Tell whether PubkeyAcceptedAlgorithms allows a key."""
        names = {pair.algorithm.decode()}
        if pair.algorithm.startswith((b"ssh-rsa", b"rsa-")):
            names |= {algorithms.certified(name) if pair.has_cert else name for name in _RSA}
        return bool(names & self._accepted)

    # Keys on the disk.

    async def _sign(self, pair: FileKey, data: bytes) -> bytes:
        key = await self._private(pair.path)
        if key.public_data != pair.key_public_data:
            raise ValueError("its public half is another key's")
        if not pair.algorithm.startswith(b"sk-"):
            return await asyncio.to_thread(key.sign, data, pair.sig_algorithm)
        with self._touched():
            return await asyncio.to_thread(key.sign, data, pair.sig_algorithm)

    async def _late(self, file: KeyFile) -> SSHKeyPair | None:
        """Return a key whose public half nobody knows before it is decrypted."""
        try:
            key = await self._private(file.path)
        except ValueError:
            return None
        return asyncssh.load_keypairs([key])[0]

    async def _private(self, path: str) -> SSHKey:
        """Read a private key, asking for its passphrase where it has one.

        Raises:
            ValueError: It can't be read, or nobody gave its passphrase.
        """
        key, problem = await asyncio.to_thread(_attempt, path, None)
        for attempt in range(1, self._config.number_of_password_prompts + 1):
            if key is not None or "assphrase" not in problem:
                break
            prompt = f"Enter passphrase for key '{clean_line(path)}':"
            given = await self._operator.ask(Secret.PASSPHRASE, prompt, attempt=attempt)
            if not given:
                raise ValueError("no passphrase was given")
            key, problem = await asyncio.to_thread(_attempt, path, given)
            del given
        if key is None:
            self._operator.tell(
                f"the private key {clean_line(path)} can't be used: {clean_line(problem, 200)}"
            )
            raise ValueError("it can't be used")
        await self._remember(key, path)
        return key

    async def _remember(self, key: SSHKey, path: str) -> None:
        """Give a key to the agent where AddKeysToAgent says so."""
        wanted = constraints(self._config.add_keys_to_agent)
        if wanted is None or self._agent is None:
            return
        if wanted.ask:
            prompt = f"Add key '{clean_line(path)}' to the agent? (yes/no)"
            if (await self._operator.ask(Secret.ANSWER, prompt, echo=True) or "").strip().lower() != "yes":
                return
        try:
            await self._agent.add_keys([key], lifetime=wanted.lifetime, confirm=wanted.confirm)
        except (OSError, *UNREADABLE) as error:
            self._operator.tell(f"the agent did not take {clean_line(path)}: {clean_line(str(error), 200)}")


def _attempt(path: str, passphrase: str | None) -> tuple[SSHKey | None, str]:
    """Return a private key, or what is wrong; no error is passed on, as its traceback would hold the passphrase."""
    try:
        return private_key(path, passphrase), ""
    except UNREADABLE as error:
        text = str(error)
    if passphrase is not None and "bcrypt" not in text:
        return None, "its passphrase is wrong"
    return None, text


def _ordered(
    files: Sequence[KeyFile],
    certificates: Iterable[SSHOpenSSHCertificate],
    agent_keys: Sequence[AgentKey],
    config: HostConfig,
    signer: Callable[[KeyFile, SSHCertificate | None], SSHKeyPair],
) -> Iterator[SSHKeyPair | KeyFile]:
    """Yield what to offer as OpenSSH does: certificates that were named, agent keys that were, others, files."""
    in_agent = {key.public_data: key for key in agent_keys}
    on_disk = {file.public.public_data: file for file in files if file.public is not None and file.private}

    def certified(each: SSHOpenSSHCertificate) -> SSHKeyPair | None:
        if (key := in_agent.get(each.key.public_data)) is not None:
            return key.certified(each)
        file = on_disk.get(each.key.public_data)
        return signer(file, each) if file is not None else None

    yield from filter(None, map(certified, certificates))
    named: dict[bytes, Callable[[], SSHKeyPair | KeyFile | None]] = {}
    for file in files:
        name = file.public.public_data if file.public is not None else file.path.encode()
        named[name] = partial(_from_file, file, signer)
        if file.certificate is not None:
            named[file.certificate.public_data] = partial(certified, file.certificate)
    yield from (key for key in agent_keys if key.public_data in named)
    if not config.identities_only:
        yield from (key for key in agent_keys if key.public_data not in named)
    for public, make in named.items():
        if public not in in_agent and (offer := make()) is not None:
            yield offer


def _from_file(
    file: KeyFile, signer: Callable[[KeyFile, SSHCertificate | None], SSHKeyPair]
) -> SSHKeyPair | KeyFile | None:
    if not file.private:
        return None
    return signer(file, None) if file.public is not None else file
