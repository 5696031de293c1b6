"""Runs verbs in processes that have everything imported: a process that waits, ready, and forks for each.

What a verb does is what it does under `python -m cockpit`, with arguments, environment, folder, streams and exit
status of its own; only the imports are spared, a third of a second of work each time. Run as a program, this module
is the process that waits. It is nobody's child, so that a test that counts children does not find it, and it ends
with the process that uses it.
"""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO, cast

ROOT = Path(__file__).parents[2]
LARGEST = 60_000
"""Bytes of arguments and environment that a packet may hold."""
LEFT_OUT = {"cockpit.app", "cockpit.__main__"}
LIBRARIES = ("asyncio", "sqlite_utils", "zstandard", "asyncssh")


def run(
    args: Sequence[str], *, env: Mapping[str, str], cwd: Path, timeout: float
) -> subprocess.CompletedProcess[bytes] | None:
    """Run `cockpit ARGS` to its end; None where this machine or what is to be told does not allow it.

    Raises:
        subprocess.TimeoutExpired: It did not end in time, and was killed.
    """
    packet = json.dumps({"args": args, "env": dict(env), "cwd": str(cwd)}).encode()
    if len(packet) > LARGEST or not sys.platform.startswith("linux"):
        return None
    outputs, errors, told = os.pipe(), os.pipe(), os.pipe()
    theirs = [outputs[1], errors[1], told[1]]
    try:
        with open(os.devnull, "rb") as nothing:
            socket.send_fds(_waiting(), [packet], [nothing.fileno(), *theirs])
    finally:
        for end in theirs:
            os.close(end)
    try:
        out, err, ended = _read_all([outputs[0], errors[0], told[0]], timeout, args)
    finally:
        for end in (outputs[0], errors[0], told[0]):
            os.close(end)
    return subprocess.CompletedProcess(args, int(ended.split()[-1]), out, err)


def _read_all(ends: Sequence[int], timeout: float, args: Sequence[str]) -> list[bytes]:
    """Read pipes to their ends; the last one tells the process's id, and then its exit status."""
    read = {end: bytearray() for end in ends}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            if time.monotonic() > deadline:
                if identity := read[ends[-1]]:
                    os.kill(int(identity.split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired(args, timeout)
            for key, _ in selector.select(max(0.0, deadline - time.monotonic())):
                if data := os.read(key.fd, 65536):
                    read[key.fd] += data
                else:
                    selector.unregister(key.fd)
    return [bytes(data) for data in read.values()]


@functools.cache
def _waiting() -> socket.socket:
    """Start the process that waits."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    argv = [sys.executable, "-m", "tests.helpers.ready_cockpit", str(theirs.fileno())]
    with theirs:
        subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], check=True)
    atexit.register(ours.close)
    return ours


def _wait(requests: socket.socket) -> None:
    """Fork for each request; returns in the process that is to serve it."""
    while True:
        packet, given, _, _ = socket.recv_fds(requests, 2 * LARGEST, 4)
        if not packet:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            _serve(json.loads(packet), given)
            return
        for end in given:
            os.close(end)


def _serve(request: Mapping[str, object], given: Sequence[int]) -> None:
    """Fork once more, tell the other's id and how it ended, and leave; return in the other."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told = given[3]
    if child := os.fork():
        for end in given[:3]:
            os.close(end)
        os.write(told, b"%d " % child)
        _, status = os.waitpid(child, 0)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    for number, end in enumerate(given[:3]):
        os.dup2(end, number)
    for end in given:
        os.close(end)
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    args, env = request["args"], request["env"]
    assert isinstance(args, list) and isinstance(env, dict)
    sys.argv[1:] = args
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(str(request["cwd"]))


def _text(number: int, mode: str) -> TextIO:
    """Open a standard stream as Python does at its start: whether it can seek is found out then."""
    old = (sys.stdin, sys.stdout, sys.stderr)[number]
    return cast(
        "TextIO", os.fdopen(number, mode, 1 if number == 2 else -1, old.encoding, old.errors, None, False)
    )


def _prepare() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    import cockpit

    for module in pkgutil.walk_packages(cockpit.__path__, "cockpit."):
        if module.name not in LEFT_OUT:
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def _main() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    if os.fork():
        os._exit(0)
    requests.set_inheritable(False)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _prepare()
    _wait(requests)
    from cockpit.cli import program

    program()


if __name__ == "__main__":
    _main()
