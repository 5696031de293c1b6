"""The values of ssh_config as types, tokens expanded and defaults filled in."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cockpit.ssh.config.jumps import jumps
from cockpit.ssh.config.reader import Reader, Said, placed
from cockpit.ssh.config.tokens import (
    ALL,
    COMMAND,
    USER,
    env_name,
    expanded,
    path_of,
    tokens,
    untilded,
)
from cockpit.ssh.host_config import HostConfig, Jump

IDENTITIES = ("id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk")
"""Keys in `~/.ssh` that are tried where no IdentityFile is said, as OpenSSH 10 has them."""
KNOWN_HOSTS = {
    "userknownhostsfile": ("~/.ssh/known_hosts", "~/.ssh/known_hosts2"),
    "globalknownhostsfile": ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"),
}
AGENT = "SSH_AUTH_SOCK"

_USED = """
    addkeystoagent addressfamily bindaddress casignaturealgorithms certificatefile ciphers compression
    connectionattempts connecttimeout forwardagent globalknownhostsfile hashknownhosts hostkeyalgorithms
    hostkeyalias hostname identitiesonly identityagent identityfile kbdinteractiveauthentication kexalgorithms
    macs numberofpasswordprompts passwordauthentication port preferredauthentications proxycommand proxyjump
    pubkeyacceptedalgorithms pubkeyauthentication revokedhostkeys sendenv serveralivecountmax
    serveraliveinterval setenv stricthostkeychecking tcpkeepalive user userknownhostsfile
"""
USED = frozenset(_USED.split())
"""Options that have a field of their own in HostConfig."""


def tokens_of(
    reader: Reader, name: str, hostname: str, user: str, port: int, *, alias: str = ""
) -> dict[str, str]:
    """Return what tokens stand for, as far as the files are read.

    Args:
        reader: What was read.
        name: The host as it was asked for.
        hostname: Its real name.
        user: The user there.
        port: Its port.
        alias: What `%k` is where no HostKeyAlias was said; empty for the name.
    """
    jump = reader.one("proxyjump", "none")
    return tokens(
        reader.here,
        name=name,
        hostname=hostname,
        port=port,
        user=user,
        alias=reader.one("hostkeyalias") or alias,
        jump="" if jump == "none" else jump,
    )


class Values:
    """The values of one host.

    Attributes:
        tokens: What `%h` and others stand for.
    """

    def __init__(self, reader: Reader, name: str, hostname: str) -> None:
        self._reader = reader
        self._hostname = hostname
        user, port = reader.one("user", reader.here.user), int(reader.one("port", "22"))
        self.tokens = self._tokens(name, user, port)
        if reader.said.get("user", [Said(())])[0].file:  # what was asked for is taken as it stands
            user = self._expanded("user", user, USER)
            self.tokens = self._tokens(name, user, port)
        self._user, self._port = user, port

    def host_config(self, asked: str) -> HostConfig:
        """Return all that was said.

        Raises:
            ConfigError: A token, a variable or a user's folder is not there.
        """
        one, flag, listed = self._one, self._flag, self._listed
        identities = self._identities()
        return HostConfig(
            name=asked,
            hostname=self._hostname,
            user=self._user,
            port=self._port,
            proxy_jump=self._jumps(),
            proxy_command=self._expanded("proxycommand", self._not_none("proxycommand"), COMMAND),
            host_key_alias=one("hostkeyalias").lower(),
            user_known_hosts_files=self._known_hosts("userknownhostsfile"),
            global_known_hosts_files=self._known_hosts("globalknownhostsfile"),
            revoked_host_keys=self._path("revokedhostkeys", 0) if self._not_none("revokedhostkeys") else "",
            hash_known_hosts=flag("hashknownhosts", "no"),
            strict_host_key_checking=self._strictness(),
            identity_files=identities,
            certificate_files=self._certificates(identities),
            identities_only=flag("identitiesonly", "no"),
            identity_agent=self._agent(),
            add_keys_to_agent=self._add_keys(),
            forward_agent=self._forward_agent(),
            pubkey_authentication=flag("pubkeyauthentication", "yes"),
            password_authentication=flag("passwordauthentication", "yes"),
            kbd_interactive_authentication=flag("kbdinteractiveauthentication", "yes"),
            preferred_authentications=listed("preferredauthentications"),
            number_of_password_prompts=int(one("numberofpasswordprompts", "3")),
            connect_timeout=float(one("connecttimeout", "0")),
            connection_attempts=int(one("connectionattempts", "1")),
            server_alive_interval=float(one("serveraliveinterval", "0")),
            server_alive_count_max=int(one("serveralivecountmax", "3")),
            tcp_keep_alive=flag("tcpkeepalive", "yes"),
            address_family=one("addressfamily", "any"),
            bind_address=one("bindaddress"),
            compression=flag("compression", "no"),
            ciphers=listed("ciphers"),
            macs=listed("macs"),
            kex_algorithms=listed("kexalgorithms"),
            host_key_algorithms=listed("hostkeyalgorithms"),
            pubkey_accepted_algorithms=listed("pubkeyacceptedalgorithms"),
            ca_signature_algorithms=listed("casignaturealgorithms"),
            set_env=self._words("setenv"),
            send_env=tuple(dict.fromkeys(self._each("sendenv"))),
            extra=self._extra(),
        )

    def _tokens(self, name: str, user: str, port: int) -> dict[str, str]:
        known = tokens_of(self._reader, name, self._hostname, user, port)
        return known | {"k": self._reader.one("hostkeyalias").lower() or known["k"]}

    def _one(self, name: str, default: str = "") -> str:
        return self._reader.one(name, default)

    def _flag(self, name: str, default: str) -> bool:
        return self._reader.one(name, default) != "no"

    def _not_none(self, name: str) -> str:
        value = self._reader.one(name)
        return "" if value.lower() == "none" else value

    def _listed(self, name: str) -> tuple[str, ...]:
        return tuple(each for each in self._reader.one(name).split(",") if each)

    def _words(self, name: str) -> tuple[str, ...]:
        return self._reader.said[name][0].words if name in self._reader.said else ()

    def _each(self, name: str) -> tuple[str, ...]:
        return tuple(" ".join(said.words) for said in self._reader.said.get(name, ()))

    def _expanded(self, name: str, text: str, allowed: str) -> str:
        with placed(self._reader, name):
            return expanded(text, self.tokens, allowed, variables=allowed in (ALL, USER))

    def _path(self, name: str, at: int) -> str:
        """Return the path that one value of an option is."""
        return self._paths(name, at)[0]

    def _paths(self, name: str, at: int) -> tuple[str, ...]:
        with placed(self._reader, name, at):
            return tuple(self._path_of(word) for word in self._reader.said[name][at].words)

    def _path_of(self, text: str) -> str:
        return path_of(text, self.tokens, self._reader.here)

    def _known_hosts(self, name: str) -> tuple[str, ...]:
        if name not in self._reader.said:
            return tuple(untilded(each, self._reader.here) for each in KNOWN_HOSTS[name])
        if self._not_none(name) == "":
            return ()
        if name == "globalknownhostsfile":  # these take `~` and no tokens
            with placed(self._reader, name):
                return tuple(untilded(word, self._reader.here) for word in self._words(name))
        return self._paths(name, 0)

    def _strictness(self) -> str:
        """Return what an unknown key leads to; `no`, which would take a changed one, asks."""
        said = self._one("stricthostkeychecking", "ask")
        return "ask" if said == "no" else said

    def _identities(self) -> tuple[str, ...]:
        if "identityfile" not in self._reader.said:
            return tuple(f"{self._reader.here.home.rstrip('/')}/.ssh/{name}" for name in IDENTITIES)
        return self._files("identityfile")

    def _certificates(self, identities: Sequence[str]) -> tuple[str, ...]:
        """Return the certificates: without any said, those that lie beside the keys."""
        if "certificatefile" in self._reader.said:
            return self._files("certificatefile")
        beside = (f"{key}-cert.pub" for key in identities)
        return tuple(path for path in beside if os.path.isfile(path))  # noqa: PTH113

    def _files(self, name: str) -> tuple[str, ...]:
        said = self._reader.said[name]
        paths = (self._path(name, at) for at, each in enumerate(said) if each.words[0].lower() != "none")
        return tuple(dict.fromkeys(paths))

    def _agent(self) -> str:
        said = self._reader.one("identityagent", AGENT)
        return self._socket("identityagent", said)

    def _socket(self, name: str, said: str) -> str:
        if said == "none":
            return ""
        if said == AGENT:
            return os.environ.get(AGENT, "")
        if said.startswith("$") and env_name(said[1:]):
            return os.environ.get(said[1:], "")
        with placed(self._reader, name):
            return self._path_of(said)

    def _forward_agent(self) -> str:
        if self._one("forwardagent", "no") == "no":
            return ""
        path = self._one("forwardagent path")
        return self._socket("forwardagent path", path) if path else "yes"

    def _add_keys(self) -> str:
        said = " ".join(self._words("addkeystoagent"))
        return "" if said == "no" else said

    def _jumps(self) -> tuple[Jump, ...]:
        text = self._not_none("proxyjump")
        if not text:
            return ()

        def known(part: str) -> str:
            return self._expanded("proxyjump", part, COMMAND)

        return tuple(
            Jump(host=known(each.host), user=known(each.user), port=each.port) for each in jumps(text)
        )

    def _extra(self) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for name, said in sorted(self._reader.said.items()):
            if name not in USED and name != "forwardagent path":
                found += [(name, " ".join(each.words)) for each in said]
        return tuple(found)
