"""A real sshd that asks PAM, with accounts of its own: none of this machine's files are read or changed for them.

It runs in a mount namespace in which `/etc`, `/run` and `/var/log` are folders of the test's: there lie its accounts,
their passwords, what PAM is to ask, and what sshd and PAM write. Only root can make one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cockpit.ssh.host_config import HostConfig
from tests.helpers.ssh_lab import SSHD
from tests.helpers.sshd import Sshd, run

PASSWORD = "swordfish 0815 of PAM"
"""Every account's."""
SEED = "3132333435363738393031323334353637383930"
"""What one-time codes are made from, in hexadecimal (the one of RFC 4226's examples)."""
SEED_32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""The same in base 32."""
ACCOUNTS = ("plain", "code", "shown", "expired")
"""`code` is asked for a one-time code as well, `shown` for one that may be seen, `expired` for another password."""

_PAM = """\
auth requisite pam_unix.so nodelay
auth [success=1 default=ignore] pam_succeed_if.so quiet user != code
auth requisite pam_oath.so usersfile=/etc/users.oath window=20
auth [success=1 default=ignore] pam_succeed_if.so quiet user != shown
auth requisite pam_google_authenticator.so echo_verification_code user=root secret=/etc/shown.code
auth required pam_permit.so
account required pam_unix.so
session required pam_permit.so
password required pam_unix.so sha512
"""
_ENTER = """\
mount --bind "$0/etc" /etc && mount --bind "$0/run" /run && mount --bind "$0/var" /var/log && exec "$@"
"""
_MODULES = {"pam_oath.so": "libpam-oath", "pam_google_authenticator.so": "libpam-google-authenticator"}


class PamSshd(Sshd):
    """The server. Its log is in `folder`, as that of any other."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for name in ("etc/pam.d", "run/sshd", "run/home", "var"):
            (folder / name).mkdir(parents=True)
        self.inside = ("unshare", "--mount", "sh", "-c", _ENTER, str(folder))

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file of its `/etc`."""
        path = self.folder / "etc" / name
        path.write_text(text)
        path.chmod(mode)

    def start(self, *lines: str, keys: Sequence[str] = ("host_ed25519",)) -> None:
        """Start it with all accounts as they were at first; more lines of configuration go before PAM's."""
        self._write_accounts()
        shutil.copy(self.folder / "authorized", self.folder / "etc" / "authorized")
        mine = ("UsePAM yes", "PasswordAuthentication yes", "KbdInteractiveAuthentication yes")
        super().start(*lines, *mine, "AuthorizedKeysFile /etc/authorized", "PrintLastLog no", keys=keys)
        self.know(f"{self.address} {self.public('host_ed25519')}")

    def to(self, account: str, **changes: object) -> HostConfig:
        """Return how to reach an account of it, without a key."""
        return self.config(**{"name": "pam", "user": account, "identity_files": (), **changes})

    def password_of(self, account: str) -> str:
        """Return an account's line of `/etc/shadow`."""
        lines = (self.folder / "etc" / "shadow").read_text().splitlines()
        return next(line for line in lines if line.startswith(f"{account}:"))

    def _write_accounts(self) -> None:
        numbered = list(enumerate(ACCOUNTS, start=4711))
        self.write(
            "passwd",
            "root:x:0:0::/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"
            + "".join(f"{name}:x:{number}:{number}::/run/home:/bin/sh\n" for number, name in numbered),
        )
        self.write("group", "root:x:0:\n" + "".join(f"{name}:x:{number}:\n" for number, name in numbered))
        self.write("nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n")
        shutil.copy("/etc/ld.so.cache", self.folder / "etc")
        self.write("pam.d/sshd", _PAM)
        self.write("pam.d/passwd", "password required pam_unix.so sha512\n")
        self.write("users.oath", f"HOTP code - {SEED}\n", 0o600)
        self.write("shown.code", f'{SEED_32}\n" HOTP_COUNTER 1\n', 0o600)
        self.write("shadow", "".join(f"{name}:!:19000:0:99999:7:::\n" for name in ACCOUNTS), 0o640)
        subprocess.run(
            [*self.inside, "chpasswd", "--crypt-method", "SHA512"],
            input="".join(f"{name}:{PASSWORD}\n" for name in ACCOUNTS),
            text=True,
            check=True,
            capture_output=True,
        )
        user, hashed, _, *more = self.password_of("expired").split(":")
        shadow = (self.folder / "etc" / "shadow").read_text()
        self.write(
            "shadow", shadow.replace(self.password_of("expired"), ":".join((user, hashed, "0", *more))), 0o640
        )


def code(counter: int) -> str:
    """Return a one-time code."""
    return run("oathtool", "--counter", str(counter), SEED).strip()


@contextlib.contextmanager
def pam_sshd(folder: Path) -> Iterator[PamSshd]:
    """Hold a server, not yet started, for the length of a block."""
    _needed()
    server = PamSshd(folder)
    try:
        server.key("host_ed25519")
        server.key("id")
        shutil.copy(folder / "id.pub", folder / "authorized")
        yield server
    finally:
        server.stop()


def _needed() -> None:
    """Skip where something is missing, and say what."""
    programs = {
        "ssh-keygen": "openssh-client",
        "oathtool": "oathtool",
        "chpasswd": "passwd",
        "unshare": "util-linux",
    }
    if SSHD is None:
        pytest.skip("sshd is not installed (Debian package openssh-server)")
    for name, package in programs.items():
        if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
            pytest.skip(f"{name} is not installed (Debian package {package})")
    for name, package in _MODULES.items():
        if not any(Path("/usr/lib").glob(f"*/security/{name}")):
            pytest.skip(f"{name} is not installed (Debian package {package})")
    if os.geteuid():
        pytest.skip("only root can give a server accounts of its own")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine makes no mount namespaces")
