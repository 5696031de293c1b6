"""What ssh_config says about one host, as types. Names are ssh_config(5)'s, in Python's spelling."""

from __future__ import annotations

from msgspec import Struct


class Jump(Struct, frozen=True, kw_only=True):
    """One entry of ProxyJump: `[user@]host[:port]`."""

    host: str
    user: str = ""
    port: int = 0


class HostConfig(Struct, frozen=True, kw_only=True):
    """How one host is reached and logged in to.

    Tokens (`%h`, `%r` …), `~` and environment variables are expanded already; times are seconds.

    Attributes:
        name: The name that was asked for.
        strict_host_key_checking: `yes`, `ask` or `accept-new`; what would accept a changed key counts as `ask`.
        forward_agent: What ssh_config says: empty for no; `yes`, or the path of the agent's socket.
        identity_agent: The agent's socket; empty for none.
        identity_files: Private keys, in the order in which they are offered; those that aren't there left in.
        certificate_files: Those that are said, else those that lie beside the keys.
        add_keys_to_agent: Empty for no; `yes`, `ask`, `confirm`, seconds, or `confirm` and seconds.
        ciphers: As said, `+`, `-` or `^` before the first word where the defaults are changed, which goes for all
            words; between commas again it is what asyncssh takes. Empty where nothing is said: then what is fastest
            among the safe ones goes first. So are the other lists of algorithms.
        extra: What else was said and is not used by the cockpit, by its lower-case name.
    """

    name: str
    hostname: str
    user: str
    port: int = 22
    proxy_jump: tuple[Jump, ...] = ()
    proxy_command: str = ""
    host_key_alias: str = ""
    user_known_hosts_files: tuple[str, ...] = ()
    global_known_hosts_files: tuple[str, ...] = ()
    revoked_host_keys: str = ""
    hash_known_hosts: bool = False
    strict_host_key_checking: str = "ask"
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str = ""
    add_keys_to_agent: str = ""
    forward_agent: str = ""
    pubkey_authentication: bool = True
    password_authentication: bool = True
    kbd_interactive_authentication: bool = True
    preferred_authentications: tuple[str, ...] = ()
    number_of_password_prompts: int = 3
    connect_timeout: float = 0.0
    connection_attempts: int = 1
    server_alive_interval: float = 0.0
    server_alive_count_max: int = 3
    tcp_keep_alive: bool = True
    address_family: str = "any"
    bind_address: str = ""
    compression: bool = False
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    kex_algorithms: tuple[str, ...] = ()
    host_key_algorithms: tuple[str, ...] = ()
    pubkey_accepted_algorithms: tuple[str, ...] = ()
    ca_signature_algorithms: tuple[str, ...] = ()
    set_env: tuple[str, ...] = ()
    send_env: tuple[str, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
