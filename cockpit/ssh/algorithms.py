"""Which algorithms of keys count, as ssh_config's lists say: in place of OpenSSH's own, or as changes to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_OPENSSH = "@openssh.com"
_CERTIFIED = "-cert-v01@openssh.com"


def certified(name: str) -> str:
    """Return the name of the certificates for keys, or signatures, of a name."""
    return name.removesuffix(_OPENSSH) + _CERTIFIED


PLAIN = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
"""What counts where nothing is said, in OpenSSH's order: SHA-1 is not among it."""
DEFAULT = (*map(certified, PLAIN), *PLAIN)


def chosen(said: Sequence[str], able: Iterable[bytes], default: Sequence[str] = DEFAULT) -> list[str]:
    """Return the algorithms that count, of those that are there.

    Args:
        said: The words of the option, which may be patterns; `+`, `-` or `^` before the first adds all to the
            default, takes all from it, or puts all before it. Nothing means the default.
        able: What asyncssh can do.
        default: What counts where nothing is said.
    """
    there = [name.decode() for name in able]
    how = said[0][:1] if said and said[0][:1] in "+-^" else ""
    patterns = [said[0].removeprefix(how), *said[1:]] if said else []
    named = [name for pattern in patterns for name in there if fnmatchcase(name, pattern)]
    match how:
        case "+":
            wanted = [*default, *named]
        case "-":
            wanted = [name for name in default if name not in named]
        case "^":
            wanted = [*named, *default]
        case _:
            wanted = named if said else list(default)
    return list(dict.fromkeys(name for name in wanted if name in there))
