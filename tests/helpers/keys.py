"""Real SSH keys and allowed-signers files, made by `ssh-keygen`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ssh_keygen = pytest.mark.skipif(
    not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed (Debian package openssh-client)"
)


def make_key(folder: Path, name: str, *, passphrase: str = "") -> Path:
    """Make a key pair and return its private half."""
    key = folder / name
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(key)]
    subprocess.run(words, check=True, capture_output=True)
    return key


def allow(folder: Path, **keys: Path) -> Path:
    """Write a file of allowed signers, one a name."""
    file = folder / "allowed_signers"
    lines = [
        f"{name}@example.com {key.with_name(key.name + '.pub').read_text()}" for name, key in keys.items()
    ]
    file.write_text("".join(lines))
    return file
