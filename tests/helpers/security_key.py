"""An ssh-agent that holds one FIDO security key, made in software, which signs once it is touched after a while."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from asyncssh.packet import Byte, SSHPacket, String, UInt32
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KIND = b"sk-ssh-ed25519@openssh.com"
APPLICATION = b"ssh:"
TOUCHED_AFTER_S = 1.3


@asynccontextmanager
async def security_key_agent(path: Path) -> AsyncIterator[tuple[str, str]]:
    """Serve on a socket; yield its path, and the public key as a line of authorized_keys."""
    key = Ed25519PrivateKey.generate()
    blob = String(KIND) + String(key.public_key().public_bytes_raw()) + String(APPLICATION)

    def signed(data: bytes) -> bytes:
        flags, counter = Byte(1), UInt32(7)  # touched
        text = hashlib.sha256(APPLICATION).digest() + flags + counter + hashlib.sha256(data).digest()
        return String(KIND) + String(key.sign(text)) + flags + counter

    async def answer(request: SSHPacket) -> bytes:
        match request.get_byte():
            case 11:
                return Byte(12) + UInt32(1) + String(blob) + String("soft")
            case 13 if request.get_string() == blob:
                await asyncio.sleep(TOUCHED_AFTER_S)
                return Byte(14) + String(signed(request.get_string()))
            case _:
                return Byte(5)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while size := await reader.read(4):
            reply = await answer(SSHPacket(await reader.readexactly(int.from_bytes(size))))
            writer.write(UInt32(len(reply)) + reply)
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield str(path), f"{KIND.decode()} {base64.b64encode(blob).decode()}"
