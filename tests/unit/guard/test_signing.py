"""Signatures with real SSH keys, through `ssh-keygen`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.errors import SignatureError
from cockpit.guard import signing
from tests.helpers.keys import allow, make_key, needs_ssh_keygen

pytestmark = needs_ssh_keygen


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return make_key(tmp_path, "ann")


async def test_what_was_signed_verifies_and_nothing_else_does(tmp_path: Path, key: Path) -> None:
    other = make_key(tmp_path, "bob")
    allowed = allow(tmp_path, ann=key, bob=other)
    data = b"delete\0everything\n\xff"
    signature = await signing.sign(data, key, signing.APPROVAL)
    await signing.verify(data, signature, "ann@example.com", allowed, signing.APPROVAL)
    assert await signing.signer(signature, allowed) == "ann@example.com"
    assert signing.fingerprint_of(signature) == await signing.fingerprint(key)
    for wrong, said in (
        (
            (data + b" ", signature, "ann@example.com", allowed, signing.APPROVAL),
            "not one of ann@example.com",
        ),
        ((data, signature, "bob@example.com", allowed, signing.APPROVAL), "no key that bob@example.com"),
        ((data, signature, "eve@example.com", allowed, signing.APPROVAL), "no key that eve@example.com"),
        ((data, signature, "ann@example.com", allowed, signing.CHECKPOINT), "another purpose"),
        ((data, "rubbish", "ann@example.com", allowed, signing.APPROVAL), "no key that ann@example.com"),
        ((data, "", "ann@example.com", allowed, signing.APPROVAL), "no key that ann@example.com"),
        ((data, signature, "ann@example.com", tmp_path / "none", signing.APPROVAL), "can't be read"),
    ):
        with pytest.raises(SignatureError, match=said):
            await signing.verify(*wrong)


async def test_a_signer_that_is_not_allowed_is_nobody(tmp_path: Path, key: Path) -> None:
    allowed = allow(tmp_path, ann=key)
    signature = await signing.sign(b"x", make_key(tmp_path, "eve"), signing.APPROVAL)
    with pytest.raises(SignatureError, match="no key that is allowed"):
        await signing.signer(signature, allowed)


async def test_a_key_that_wants_a_passphrase_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    askpass = tmp_path / "askpass"
    askpass.write_text(f"#!/bin/sh\ntouch {asked}\necho correct-horse\n")
    askpass.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    monkeypatch.setenv("DISPLAY", ":0")
    locked = make_key(tmp_path, "locked", passphrase="correct-horse")
    with pytest.raises(SignatureError) as caught:
        await signing.sign(b"x", locked, signing.APPROVAL)
    assert "passphrase" in str(caught.value)
    assert "ssh-add" in caught.value.remedy
    assert "correct-horse" not in str(caught.value)
    assert not asked.exists()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not shutil.which("ssh-agent"):
        pytest.skip("ssh-agent is not installed (Debian package openssh-client)")
    socket = tmp_path / "agent"
    running = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    while not socket.exists():
        assert running.poll() is None
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    running.terminate()
    running.wait()


@pytest.mark.usefixtures("agent")
async def test_a_key_that_an_agent_holds_signs(tmp_path: Path) -> None:
    locked = make_key(tmp_path, "locked", passphrase="correct-horse")
    askpass = tmp_path / "askpass"
    askpass.write_text("#!/bin/sh\necho correct-horse\n")
    askpass.chmod(0o700)
    env = {**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", str(locked)], env=env, check=True, capture_output=True)
    allowed = allow(tmp_path, ann=locked)
    public = locked.with_name("locked.pub")
    locked.unlink()  # only the agent can sign now
    signature = await signing.sign(b"x", public, signing.CHECKPOINT)
    await signing.verify(b"x", signature, "ann@example.com", allowed, signing.CHECKPOINT)


async def test_what_can_not_be_used_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: Path
) -> None:
    with pytest.raises(SignatureError, match="no such file"):
        await signing.sign(b"x", tmp_path / "none", signing.APPROVAL)
    (tmp_path / "text").write_text("no key at all")
    with pytest.raises(SignatureError, match="no SSH key"):
        await signing.fingerprint(tmp_path / "text")
    with pytest.raises(SignatureError, match="no SSH signature"):
        signing.fingerprint_of("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n")
    key.chmod(0o644)
    with pytest.raises(SignatureError) as caught:
        await signing.sign(b"x", key, signing.APPROVAL)
    assert "chmod 600" in caught.value.remedy
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignatureError) as caught:
        await signing.sign(b"x", key, signing.APPROVAL)
    assert "OpenSSH" in caught.value.remedy
