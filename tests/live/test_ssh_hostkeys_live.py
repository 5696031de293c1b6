"""Host keys against a real sshd: ours goes on exactly where OpenSSH's own client does, and says why it does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.errors import ConfigError, HostKeyRefused
from cockpit.ssh.asking import Nobody, Verdict
from tests.helpers.sshd import Answers, Sshd, log_in, run, sshd

KINDS = ("ed25519", "rsa", "ecdsa")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server with every kind of key and certificates for two of them, started once."""
    with sshd(tmp_path_factory.mktemp("sshd")) as server:
        for kind in KINDS[1:]:
            server.key(f"host_{kind}", kind)
        for name in ("other", "ca", "ca2"):
            server.key(name)
        server.start(keys=[f"host_{kind}" for kind in KINDS])
        yield server


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server that shows a certificate, which a test makes."""
    with sshd(tmp_path_factory.mktemp("certified")) as server:
        server.key("ca")
        server.key("ca_rsa", "rsa")
        server.key("other")
        yield server


async def passes(server: Sshd, **changes: object) -> HostKeyRefused | None:
    asker = Answers()
    try:
        (await log_in(server.config(**changes), asker)).close()
    except HostKeyRefused as error:
        return error
    return None


LINES = {
    "plain": ("{address} {host_ed25519}",),
    "any one of several": ("{address} {other}", "{address} {host_ed25519}"),
    "another kind than the first": ("{address} {host_ecdsa}",),
    "only rsa": ("{address} {host_rsa}",),
    "pattern": ("[127.*]:* {host_ed25519}",),
    "negated": ("{address},!{address} {host_ed25519}",),
    "without its port": ("127.0.0.1 {host_ed25519}",),
    "another without its port": ("127.0.0.1 {other}",),
    "another with, the right one without": ("{address} {other}", "127.0.0.1 {host_ed25519}"),
    "changed": ("{address} {other}",),
    "none": (),
    "revoked": ("{address} {host_ed25519}", "@revoked * {host_ed25519}"),
    "revoked elsewhere": ("{address} {host_ed25519}", "@revoked web-9 {host_ed25519}"),
    "authority and no certificate": ("@cert-authority * {ca}",),
    "authority and the key": ("@cert-authority * {ca}", "{address} {host_ed25519}"),
    "authority as a key": ("{address} {ca}",),
}


@pytest.mark.parametrize("case", LINES)
async def test_we_go_on_where_openssh_does(server: Sshd, case: str) -> None:
    names = {path.stem: server.public(path.stem) for path in server.folder.glob("*.pub")}
    server.know(*(line.format(address=server.address, **names) for line in LINES[case]))
    refused = await passes(server)
    assert (refused is None) == (server.ssh("StrictHostKeyChecking=yes") == 0), refused


CERTIFICATES = {
    "good": (("-n", "127.0.0.1"), {}),
    "wildcard": (("-n", "127.*"), {}),
    "any principal": ((), {}),
    "another's": (("-n", "web-9"), {}),
    "alias": (("-n", "web-9"), {"host_key_alias": "web-9"}),
    "expired": (("-n", "127.0.0.1", "-V", "20200101:20200102"), {}),
    "not yet": (("-n", "127.0.0.1", "-V", "20990101:20990102"), {}),
    "a user's": ((), {}),
}


@pytest.mark.parametrize("case", CERTIFICATES)
async def test_host_certificates_pass_where_openssh_lets_them(certified: Sshd, case: str) -> None:
    more, changes = CERTIFICATES[case]
    kind = () if case == "a user's" else ("-h",)
    certificate = certified.sign("ca", "host_ed25519", *kind, *more)
    certified.start(f"HostCertificate {certificate}")
    certified.know(f"@cert-authority * {certified.public('ca')}")
    options = ("HostKeyAlias=web-9",) if changes else ()
    refused = await passes(certified, **changes)
    assert (refused is None) == (certified.ssh("StrictHostKeyChecking=yes", *options) == 0), refused
    if case == "expired":
        assert refused is not None and "host certificate is not valid: certificate expired" in str(refused)


async def test_what_sha1_signed_is_no_certificate(certified: Sshd) -> None:
    certified.sign("ca_rsa", "host_ed25519", "-h", "-n", "127.0.0.1", "-t", "ssh-rsa")
    certified.start(f"HostCertificate {certified.path('host_ed25519-cert.pub')}")
    certified.know(f"@cert-authority * {certified.public('ca_rsa')}")
    refused = await passes(certified)
    assert refused is not None and "signed with ssh-rsa, which is not allowed" in str(refused)
    assert certified.ssh("StrictHostKeyChecking=yes") != 0


async def test_an_unknown_authority_is_none_and_the_key_counts(certified: Sshd) -> None:
    certificate = certified.sign("ca", "host_ed25519", "-h")
    certified.start(f"HostCertificate {certificate}")
    certified.know(
        f"@cert-authority * {certified.public('other')}",
        f"{certified.address} {certified.public('host_ed25519')}",
    )
    assert await passes(certified) is None
    assert certified.ssh("StrictHostKeyChecking=yes") == 0


@pytest.mark.parametrize(
    "how",
    ["text", "krl of keys", "krl of fingerprints", "krl of serials", "krl of ids", "krl of the authority"],
)
async def test_revoked_host_keys_refuse(certified: Sshd, tmp_path: Path, how: str) -> None:
    certificate = certified.sign("ca", "host_ed25519", "-h", "-z", "70")
    certified.start(f"HostCertificate {certificate}")
    certified.know(f"@cert-authority * {certified.public('ca')}")
    krl, specification = tmp_path / "krl", tmp_path / "specification"
    words = {
        "krl of serials": "serial: 3\nserial: 5-90\n",
        "krl of ids": "id: host_ed25519-id\n",
        "krl of fingerprints": f"hash: {run('ssh-keygen', '-lf', certified.path('host_ed25519.pub')).split()[1]}\n",
    }
    if how == "text":
        krl.write_text(f"# gone\n{certified.public('host_ed25519')}\n")
    elif how in words:
        specification.write_text(words[how])
        run("ssh-keygen", "-q", "-k", "-f", str(krl), "-s", certified.path("ca.pub"), str(specification))
    else:
        name = "ca" if "authority" in how else "host_ed25519"
        run("ssh-keygen", "-q", "-k", "-f", str(krl), certified.path(f"{name}.pub"))
    asker = Answers()
    with pytest.raises(HostKeyRefused, match=f"is revoked in {krl}"):
        await log_in(certified.config(revoked_host_keys=str(krl)), asker)
    assert [verdict for _, _, verdict in asker.recorded] == [Verdict.REVOKED]
    assert certified.ssh("StrictHostKeyChecking=yes", f"RevokedHostKeys={krl}") != 0


async def test_a_list_of_revoked_keys_that_names_others_lets_pass(server: Sshd, tmp_path: Path) -> None:
    server.know(f"{server.address} {server.public('host_ed25519')}")
    krl = tmp_path / "krl"
    run("ssh-keygen", "-q", "-k", "-f", str(krl), server.path("other.pub"))
    assert await passes(server, revoked_host_keys=str(krl)) is None
    krl.unlink()
    with pytest.raises(ConfigError, match="RevokedHostKeys can't be read"):
        await passes(server, revoked_host_keys=str(krl))


async def test_an_unknown_key_is_asked_for_and_written_down(server: Sshd) -> None:
    known = server.folder / "known_hosts"
    known.unlink(missing_ok=True)
    asker = Answers(accept=True)
    (await log_in(server.config(), asker)).close()
    printed = run("ssh-keygen", "-lvf", server.path("host_ed25519.pub"))
    (asked,) = asker.offered
    assert asked.fingerprint in printed and asked.randomart in printed
    assert (asked.hop, asked.address, asked.algorithm) == ("web-1", server.address, "ssh-ed25519")
    assert asker.recorded == [(server.address, asked.fingerprint, Verdict.ACCEPTED)]
    assert known.read_text() == f"{server.address} {server.public('host_ed25519')}\n"
    assert server.ssh("StrictHostKeyChecking=yes") == 0
    (await log_in(server.config(), asker)).close()
    assert len(asker.offered) == 1


async def test_a_name_is_hidden_where_hash_known_hosts_says_so(server: Sshd) -> None:
    server.know()
    (await log_in(server.config(hash_known_hosts=True), Answers(accept=True))).close()
    assert (server.folder / "known_hosts").read_text().startswith("|1|")
    assert server.ssh("StrictHostKeyChecking=yes") == 0


async def test_an_alias_is_what_is_written_and_found(server: Sshd) -> None:
    known = server.know()
    config = server.config(host_key_alias="Web-Nine")
    (await log_in(config, Answers(accept=True))).close()
    assert known.read_text() == f"Web-Nine {server.public('host_ed25519')}\n"
    (await log_in(config, Answers())).close()


async def test_no_is_recorded_and_nothing_is_written(server: Sshd) -> None:
    known, asker = server.know(), Answers()
    with pytest.raises(HostKeyRefused, match=r"is not known, and was not accepted .*compare it"):
        await log_in(server.config(), asker)
    assert [verdict for _, _, verdict in asker.recorded] == [Verdict.DECLINED]
    assert known.read_text() == ""
    with pytest.raises(HostKeyRefused):
        await log_in(server.config(), Nobody())


async def test_accept_new_asks_nothing_and_records(server: Sshd) -> None:
    known, asker = server.know(), Answers()
    (await log_in(server.config(strict_host_key_checking="accept-new"), asker)).close()
    assert not asker.offered and [verdict for _, _, verdict in asker.recorded] == [Verdict.ACCEPTED_UNASKED]
    assert server.public("host_ed25519") in known.read_text()


async def test_strict_asks_nothing_and_refuses(server: Sshd) -> None:
    server.know()
    asker = Answers(accept=True)
    with pytest.raises(HostKeyRefused, match=r"StrictHostKeyChecking is yes .*add its key for"):
        await log_in(server.config(strict_host_key_checking="yes"), asker)
    assert not asker.offered


@pytest.mark.parametrize("mode", ["ask", "accept-new", "yes"])
async def test_a_changed_key_is_never_taken(server: Sshd, mode: str) -> None:
    known = server.know("# a line above", f"{server.address} {server.public('other')}")
    before, asker = known.read_text(), Answers(accept=True)
    with pytest.raises(HostKeyRefused) as raised:
        await log_in(server.config(strict_host_key_checking=mode), asker)
    told = str(raised.value)
    ours, theirs = (
        run("ssh-keygen", "-lf", server.path(f"{name}.pub")).split()[1] for name in ("other", "host_ed25519")
    )
    assert f"{known}:2 knows the ED25519 key {ours}" in told
    assert f"HAS CHANGED: it shows the ED25519 key {theirs}" in told
    assert f"ssh-keygen -R '{server.address}' -f {known}" in told
    assert not asker.offered and asker.recorded == [(server.address, theirs, Verdict.CHANGED)]
    assert known.read_text() == before


async def test_a_key_that_can_not_be_kept_counts_for_now(server: Sshd, tmp_path: Path) -> None:
    nowhere = tmp_path / "file" / "known_hosts"
    nowhere.parent.write_text("no folder")
    asker = Answers(accept=True)
    (await log_in(server.config(user_known_hosts_files=(str(nowhere),)), asker)).close()
    assert any("not kept" in line for line in asker.told)


@pytest.mark.alone
async def test_asking_takes_its_time(server: Sshd) -> None:
    """The host is left alone while a person thinks, and the time-out stands still."""
    import asyncio

    class Slow(Answers):
        async def accept(self, key: object) -> bool:
            await asyncio.sleep(1.2)
            return True

    server.know()
    (await log_in(server.config(), Slow(), seconds=1.0)).close()


async def test_a_host_that_hangs_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Sshd(tmp_path)
        server.port = silent.getsockname()[1]
        with pytest.raises(TimeoutError):
            await log_in(server.config(), Answers(), seconds=0.3)
