"""A disk that can be made to hang: one file behind FUSE (Linux's fuse.h, protocol 7.31), served by a process apart.

While the flag's file is there nothing is answered, as on a network disk whose host is gone. `python -m
tests.helpers.hung_disk FOLDER FILE FLAG` mounts; it needs root and /dev/fuse.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

NAME = "app.log"
HEADER = struct.Struct("<IIQQIIIHH")
REPLY = struct.Struct("<IiQ")
ATTR = struct.Struct("<6Q10I")
ENTRY = struct.Struct("<4Q2I")
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, INIT = 1, 2, 3, 14, 15, 18, 26
OPENDIR, READDIR, RELEASEDIR, INTERRUPT, BATCH_FORGET = 27, 28, 29, 36, 42
SILENT = (FORGET, INTERRUPT, BATCH_FORGET)
DIRECT_IO = 1
NOSUID, NODEV, DETACH = 2, 4, 2


class HungDisk:
    """A folder with one log, which can be made to hang.

    Attributes:
        log: The log's path.
    """

    def __init__(self, log: Path, flag: Path) -> None:
        self.log = log
        self._flag = flag

    def hang(self) -> None:
        """Answer nothing from now on."""
        self._flag.touch()
        time.sleep(0.1)

    def answer(self) -> None:
        """Answer again, also what was asked meanwhile."""
        self._flag.unlink(missing_ok=True)


@contextlib.contextmanager
def hung_disk(folder: Path, data: bytes) -> Iterator[HungDisk]:
    """Mount a disk with a log of such bytes; skip where that can't be."""
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        pytest.skip("a disk that hangs needs root and /dev/fuse")
    mount, file, flag = folder / "disk", folder / "data", folder / "hang"
    mount.mkdir()
    file.write_bytes(data)
    argv = [sys.executable, "-m", "tests.helpers.hung_disk", str(mount), str(file), str(flag)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        try:
            if server.stdout is None or server.stdout.readline() != b"mounted\n":
                pytest.skip("FUSE can't be mounted here")
            yield HungDisk(mount / NAME, flag)
        finally:
            server.kill()
            ctypes.CDLL(None).umount2(os.fsencode(mount), DETACH)


def serve(mount: str, file: str, flag: str) -> None:
    """Mount and answer until the mount is gone."""
    data = Path(file).read_bytes()
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if ctypes.CDLL(None, use_errno=True).mount(b"hung", mount.encode(), b"fuse", NOSUID | NODEV, options):
        raise OSError(ctypes.get_errno(), "mount")
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    while True:
        while os.path.exists(flag):
            time.sleep(0.02)
        try:
            request = os.read(fuse, 1 << 18)
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            continue
        _, opcode, unique, node, *_ = HEADER.unpack_from(request)
        if opcode in SILENT:
            continue
        failed, said = answer(opcode, node, request[HEADER.size :], data)
        os.write(fuse, REPLY.pack(REPLY.size + len(said), -failed, unique) + said)


def answer(opcode: int, node: int, body: bytes, data: bytes) -> tuple[int, bytes]:
    """Return an error number and what is said to one request."""
    match opcode:
        case 26:
            ahead = struct.unpack_from("<I", body, 8)[0]
            return 0, struct.pack("<4I2H2I2H8I", 7, 31, ahead, 0, 16, 12, 1 << 16, 1, 0, 0, *([0] * 8))
        case 1:
            if body.rstrip(b"\0") != NAME.encode():
                return errno.ENOENT, b""
            return 0, ENTRY.pack(2, 0, 0, 0, 0, 0) + attributes(2, len(data))
        case 3:
            return 0, struct.pack("<QII", 0, 0, 0) + attributes(node, len(data))
        case 14 | 27:
            return 0, struct.pack("<QII", 0, DIRECT_IO if opcode == OPEN else 0, 0)
        case 15:
            _, offset, size = struct.unpack_from("<QQI", body)
            return 0, data[offset : offset + size]
        case 18 | 28 | 29:
            return 0, b""
        case _:
            return errno.ENOSYS, b""


def attributes(node: int, size: int) -> bytes:
    """Return what `stat` tells of the folder (1) or the log (2)."""
    mode = stat.S_IFDIR | 0o755 if node == 1 else stat.S_IFREG | 0o644
    return ATTR.pack(node, size if node == 2 else 0, 0, 1, 1, 1, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


if __name__ == "__main__":
    serve(*sys.argv[1:])
