"""Real OpenSSH servers: a bastion, and two targets that only it can reach.

The targets listen on loopback addresses of a network namespace of their own. The bastion's port is ours, but each of
its connections is served by an `sshd -i` inside that namespace, so that what it forwards ends there. Nothing but
loopback is ever used. Sessions have a home of their own: what this account's shell does when it starts is no part of
a test. Where namespaces can't be made, the targets listen on this machine's loopback, and only
`PermitOpen` keeps to the plan.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.tcp_server import free_port

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
USER = os.environ.get("USER") or os.environ.get("LOGNAME") or "root"

BASE = """\
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 300:30:400
LogLevel VERBOSE
Subsystem sftp internal-sftp
SetEnv HOME={folder}/home
"""


class SshLab:
    """A bastion and two targets behind it.

    Attributes:
        folder: Where keys, configurations and logs lie.
        config: An ssh_config that names `bastion`, `one` and `two`, with its own known_hosts.
        isolated: Whether the targets can't be reached but through the bastion.
    """

    def __init__(self, folder: Path, *, bastion: str = "", target: str = "", isolate: bool = True) -> None:
        """Prepare the servers.

        Args:
            folder: An empty folder.
            bastion: More lines for the bastion's sshd_config.
            target: More lines for the targets'.
            isolate: Whether to try to keep the targets in a namespace; if not, the bastion reaches this machine.
        """
        self._isolate = isolate
        self.folder = folder
        self.config = folder / "config"
        self.isolated = False
        self._extra = {"bastion": bastion, "target": target}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._carried: list[subprocess.Popen[bytes]] = []
        self._namespace: list[str] = []
        self._listener: socket.socket | None = None
        self.port = 0
        self.target_ports: dict[str, tuple[str, int]] = {}

    def start(self) -> None:
        """Start everything; returns when all of it answers."""
        assert SSHD is not None
        with contextlib.suppress(OSError):
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd shuts itself in while nobody is logged in
        (self.folder / "home").mkdir(exist_ok=True)
        for key in ("host_key", "id"):
            self._run(
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                f"lab-{key}",
                "-f",
                str(self.folder / key),
            )
        shutil.copy(self.folder / "id.pub", self.folder / "authorized")
        self._enter_namespace()
        for number, name in enumerate(("one", "two"), start=2):
            self.target_ports[name] = (f"127.0.0.{number}", 2222 if self.isolated else free_port())
        self._serve_bastion()
        for name, (address, port) in self.target_ports.items():
            self._serve_target(name, address, port)
        self._write_config()

    def stop(self) -> None:
        """Stop everything that was started."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # else the thread goes on waiting in it
            self._listener.close()
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def options(self, *more: str) -> list[str]:
        """Return the arguments that make OpenSSH's own clients use this lab."""
        return ["-F", str(self.config), *more]

    def inside(self, argv: list[str]) -> list[str]:
        """Return the command line that starts a program where the targets are, on their loopback."""
        return [*self._namespace, *argv]

    def cut(self) -> None:
        """Cut every connection to the bastion, as a network that fails would; new ones are served."""
        for process in self._carried:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._carried.clear()

    def _enter_namespace(self) -> None:
        if not self._isolate or os.geteuid() or not shutil.which("unshare") or not shutil.which("nsenter"):
            return
        keeper = self._spawn(["unshare", "--net", "sleep", "infinity"])
        inside = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]
        ours = os.readlink("/proc/self/ns/net")
        for _ in range(100):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{keeper.pid}/ns/net") != ours:
                    break
            time.sleep(0.02)
        if (
            subprocess.run(
                [*inside, "ip", "link", "set", "lo", "up"], check=False, capture_output=True
            ).returncode
            == 0
        ):
            self._namespace, self.isolated = inside, True

    def _serve_target(self, name: str, address: str, port: int) -> None:
        path = self._sshd_config(name, f"ListenAddress {address}\nPort {port}\n{self._extra['target']}")
        self._spawn(
            [*self._namespace, str(SSHD), "-D", "-f", str(path), "-E", str(self.folder / f"{name}.log")]
        )
        probe = [
            *self._namespace,
            "bash",
            "-c",
            f"until (: </dev/tcp/{address}/{port}) 2>/dev/null; do sleep 0.02; done",
        ]
        subprocess.run(probe, check=True, timeout=10)

    def _serve_bastion(self) -> None:
        allowed = " ".join(f"{address}:{port}" for address, port in self.target_ports.values())
        path = self._sshd_config(
            "bastion", f"PermitOpen {allowed} 127.0.0.1:* localhost:*\n{self._extra['bastion']}"
        )
        argv = [*self._namespace, str(SSHD), "-i", "-f", str(path), "-E", str(self.folder / "bastion.log")]
        self._listener = listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = listener.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    self._carried.append(self._spawn(argv, on=connection))

        threading.Thread(target=accept, name="lab-bastion", daemon=True).start()

    def _sshd_config(self, name: str, more: str) -> Path:
        path = self.folder / f"sshd_{name}"
        # The first value of an option counts, so what a test wants goes before what all have.
        path.write_text(f"{more}\n{BASE.format(folder=self.folder)}")
        return path

    def _write_config(self) -> None:
        known = self.folder / "known_hosts"
        key = (self.folder / "host_key.pub").read_text().split(maxsplit=2)[:2]
        names = [f"[127.0.0.1]:{self.port}", *(f"[{a}]:{p}" for a, p in self.target_ports.values())]
        known.write_text("".join(f"{name} {' '.join(key)}\n" for name in names))
        lines = [f"Host bastion\n  HostName 127.0.0.1\n  Port {self.port}\n"]
        for name, (address, port) in self.target_ports.items():
            lines.append(f"Host {name}\n  HostName {address}\n  Port {port}\n  ProxyJump bastion\n")
        lines.append(
            f"Host *\n  User {USER}\n  IdentityFile {self.folder}/id\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {known}\n  GlobalKnownHostsFile /dev/null\n"
        )
        self.config.write_text("".join(lines))

    def _spawn(self, argv: list[str], *, on: socket.socket | None = None) -> subprocess.Popen[bytes]:
        pipe = on.fileno() if on is not None else subprocess.DEVNULL
        process = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._processes.append(process)
        return process

    @staticmethod
    def _run(*argv: str) -> None:
        subprocess.run(argv, check=True, capture_output=True)


@contextlib.contextmanager
def ssh_lab(folder: Path, *, bastion: str = "", target: str = "", isolate: bool = True) -> Iterator[SshLab]:
    """Hold a lab for the length of a block."""
    lab = SshLab(folder, bastion=bastion, target=target, isolate=isolate)
    try:
        lab.start()
        yield lab
    finally:
        lab.stop()
