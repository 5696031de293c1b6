"""Keys, certificates and lists as a hostile host, or a broken disk, may have them: refused, and nothing else."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncssh
import pytest
from asyncssh.packet import PacketDecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.ssh.host_config import HostConfig
from cockpit.ssh.hostkeys import HostKeys
from cockpit.ssh.keyfiles import key_files
from cockpit.ssh.revoked import RevokedKeys


@cache
def certificate() -> bytes:
    authority, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    return authority.generate_host_certificate(key, "web-1", principals=["web-1"]).public_data


@cache
def krl() -> bytes:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (Debian package openssh-client)")
    with TemporaryDirectory() as folder:
        key, specification, made = (Path(folder, name) for name in ("key", "specification", "krl"))
        specification.write_text("serial: 1-9\nserial: 11\nserial: 13\nid: someone\n")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-k", "-f", made, "-s", f"{key}.pub", specification, f"{key}.pub"],
            check=True,
        )
        return made.read_bytes()


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    data = bytearray(whole[: draw(st.integers(0, len(whole)))] if draw(st.booleans()) else whole)
    for _ in range(draw(st.integers(0, 4))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@settings(deadline=None)
@given(data=st.data())
def test_no_blob_passes_and_each_is_refused_alike(data: st.DataObject) -> None:
    blob = data.draw(st.one_of(st.binary(max_size=200), damaged(certificate())))
    keys = HostKeys(HostConfig(name="web-1", hostname="web-1", user="me"))
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        keys.judge(blob)


@settings(deadline=None)
@given(data=st.data())
def test_a_broken_list_is_said_to_be_broken_or_read(data: st.DataObject) -> None:
    with contextlib.suppress(PacketDecodeError):
        RevokedKeys().read(data.draw(damaged(krl())))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff" * 50,
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        b"ssh-ed25519 AAAA",
    ],
)
def test_a_key_that_can_not_be_read_has_no_public_half(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "id"
    path.write_bytes(text)
    (tmp_path / "id-cert.pub").write_bytes(text)
    (found,) = key_files([str(path), str(tmp_path / "none"), str(tmp_path)])
    assert found.public is None and found.certificate is None
