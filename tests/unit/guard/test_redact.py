"""Secrets are cut, whatever the pieces; what only looks like one stays; and no input makes it slow."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.guard import anchors
from cockpit.guard.anchors import Anchors
from cockpit.guard.detectors import DETECTORS, LONGEST
from cockpit.guard.redact import LINE, Cuts, Redactor

KNOWN = "correct horse/battery"
REDACTOR = Redactor(b"k" * 32, lambda: (KNOWN, "tiny", ""))
PEM = (
    b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + b"\n".join(base64.b64encode(bytes(range(n, n + 48))) for n in range(24))
    + b"\n-----END OPENSSH PRIVATE KEY-----"
)
JWT = b"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
A36 = b"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
SECRETS: dict[bytes, bytes] = {
    b"aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n": b"AKIAIOSFODNN7EXAMPLE",
    b"AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": b"wJalrXUtnFEMI",
    b'"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",': b"wJalrXUtnFEMI",
    b'"SessionToken": "IQoJb3JpZ2luX2VjEJr//////////wEaCXVz",': b"IQoJb3JpZ2lu",
    b"key=AIzaSyA-1234567890abcdefghijklmnopqrstu&q=x": b"AIzaSyA",
    b"got ya29.a0AfH6SMBx-abcdefghijklmnopqrstuv from metadata": b"a0AfH6SMBx",
    b"GOCSPX-abcdefghijklmnopqrstuvwxyz12": b"abcdefghijklm",
    b"DefaultEndpointsProtocol=https;AccountName=x;AccountKey="
    + base64.b64encode(bytes(range(64)))
    + b";E=y": b"AAECAwQF",
    b"https://x.blob.core.windows.net/c?sv=1&sig=abcdEFGHijklMNOPqrstUVWXyz0123456789%2Bab%3D&se=2": b"abcdEFGH",
    b"client: abc8Q~defghijklmnopqrstuvwxyz0123456789 ok": b"8Q~defgh",
    b"remote: ghp_" + A36: A36,
    b"ghs_" + A36 + b" gho_" + A36: A36,
    b"github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz": b"11ABCDEFG0",
    b"glpat-abcdefghij0123456789": b"abcdefghij",
    b"xoxb-123456789012-abcdefghijklmnop": b"123456789012",
    b"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX": b"XXXXXXXX",
    b"sk_live_4eC39HqLyjWDarjtT1zdp7dc": b"4eC39Hq",
    b"rk_test_4eC39HqLyjWDarjtT1zdp7dc whsec_4eC39HqLyjWDarjtT1zdp7dc": b"4eC39Hq",
    b"jwt=" + JWT: b"dozjgNry",
    b"Authorization: Bearer " + JWT + b"\r\n": b"eyJzdWI",
    b"> authorization: Basic dXNlcjpwYXNz": b"dXNlcjpwYXNz",
    b'{"Authorization": "Token 0123456789abcdef"}': b"0123456789",
    b"Proxy-Authorization: Digest username=x, response=6629fae49393a05397450978507c4ef1": b"6629fae",
    b"sent Bearer mF_9.B5f-4.1JqM.abcdefgh": b"mF_9",
    b"Cookie: session=abcdef0123; theme=dark": b"abcdef0123",
    b"< set-cookie: sid=s%3Aabcdef.0123; Path=/; HttpOnly": b"abcdef.0123",
    b"postgres://app:s3cr3t@db.example:5432/app": b"s3cr3t",
    b"redis://:p@ss:w0rd@cache:6379": b"p@ss:w0rd",
    b"git clone https://x-token:abc123@example.com/r.git": b"abc123",
    b"PGPASSWORD=hunter2 psql -h db": b"hunter2",
    b"export MYSQL_PASSWORD='hunter2 two'": b"hunter2 two",
    b"DB_PASS=hunter2": b"hunter2",
    b"password: hunter2": b"hunter2",
    b"Passwort fuer root, password : hunter2": b"hunter2",
    b'{"password":"hunt\\"er2","user":"x"}': b"er2",
    b'msg="{\\"password\\":\\"hunter2\\"}"': b"hunter2",
    b"spring.datasource.password=hunter2": b"hunter2",
    b"curl --password hunter2 --user x": b"hunter2",
    b"login --token abcdef123 --x": b"abcdef123",
    b"api_key: 3f9a77c1d2": b"3f9a77c1d2",
    b"X-Api-Key: 3f9a77c1d2": b"3f9a77c1d2",
    b"client_secret=abcdefgh&grant_type=x": b"abcdefgh",
    b'"access_token" : "abc.def.ghi"': b"abc.def.ghi",
    b"mysql -u root -phunter2 db": b"hunter2",
    b"+ mysqldump --all -p'hunter 2' x": b"hunter 2",
    b"sshpass -p hunter2 ssh host": b"hunter2",
    b"redis-cli -h x -a hunter2 ping": b"hunter2",
    b"curl -s -u bob:hunter2 https://x": b"hunter2",
    b"docker login -u bob -p hunter2 registry": b"hunter2",
    b"ldapsearch -x -w hunter2 -b dc=x": b"hunter2",
    b"it is " + KNOWN.encode() + b", is it": KNOWN.encode(),
    b"?next=correct%20horse%2Fbattery": b"correct%20horse",
    PEM + b"\n": PEM.splitlines()[3],
    b"prefix " + PEM.replace(b"\n", b"\\n") + b" suffix": PEM.splitlines()[3],
    PEM.replace(b"\n", b"\r\n"): PEM.splitlines()[3],
    b"\n".join(b"pod-1  " + line for line in PEM.splitlines()): PEM.splitlines()[3],
}
INNOCENT = [
    hashlib.sha1(b"x").hexdigest().encode(),
    b"commit " + hashlib.sha256(b"x").hexdigest().encode(),
    str(uuid.UUID(int=2**127 + 12345)).encode(),
    b'<img src="data:image/png;base64,' + base64.b64encode(hashlib.sha512(b"x").digest() * 300) + b'">',
    b"PWD=/home/ann OLDPWD=/tmp",
    b"PASS: test_the_door (0.2 s)\n3 passed, 1 failed, pass=3 fail=1",
    b"token: expired\nsecret: not found\nthe key: a long story",
    b"unexpected token: '}' in line 3; next token = }",
    b"cache_key: 8f14e45f sort_key=abcdefgh primary key: id12345678 monkey=banana1234",
    b"secretName: my-app-tls-2024\nkind: Secret\ntokenReview: true",
    b"http://host:8080/path@v2 ftp://user@host/x mailto:a@b.example",
    b"password=${DB_PASSWORD} --password $PASSWORD password: <none> password=**** token=%s",
    b"max_tokens=4096 tokens: 123456789",
    b"ssh -p 2222 host && mkdir -p /tmp/x && cp -a one two && ps -p 1",
    b"docker run -p 8080:80 nginx; nc -w 3 host 80; curl -u https://x",
    b"eyJhbGciOi no dots here, and XeyJhbGciOiJIUzI1NiJ9.abcdefgh.abcdefgh",
    b"MAKIAIOSFODNN7EXAMPLE AKIASHORT akiaiosfodnn7example",
    b"-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END CERTIFICATE-----",
    b"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMIBFFfcEFufIkV8uaRUWKOmAsjEnl7Lfxsj1iZ4cLP/ ann",
    b"tiny secrets stay tiny",
    b"xoxo and hugs, sig=abc, cookie: disabled, cookies accepted = no",
]


@pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))
def test_a_secret_is_cut(text: bytes) -> None:
    cuts = Cuts()
    cut = REDACTOR.data(text, cuts)
    assert SECRETS[text] not in cut
    assert b"[redacted:" in cut
    assert cuts.count == cut.count(b"[redacted:")
    assert REDACTOR.data(cut, Cuts()) == cut, "what was cut once is not cut again"


@pytest.mark.parametrize("text", INNOCENT, ids=range(len(INNOCENT)))
def test_what_is_no_secret_stays(text: bytes) -> None:
    assert REDACTOR.data(text, Cuts()) == text


def test_what_stands_around_a_secret_stays() -> None:
    text = "PGPASSWORD=hunter2 psql -h db && curl -H 'Authorization: Bearer abcdef' https://u:p@x/y?z=1"
    assert REDACTOR.text(text, Cuts()) == (
        "PGPASSWORD=[redacted:password] psql -h db && curl -H 'Authorization: Bearer [redacted:authorization]' "
        "https://u:[redacted:url-password]@x/y?z=1"
    )
    assert REDACTOR.data(b"a\n" + PEM + b"\nb\n", Cuts()) == b"a\n[redacted:private-key]\nb\n"


def test_the_same_secret_leaves_the_same_hash_and_only_with_the_same_key() -> None:
    def hashes(redactor: Redactor, text: bytes) -> list[str]:
        cuts = Cuts()
        redactor.data(text, cuts)
        return list(cuts.hashes)

    [one] = hashes(REDACTOR, b"password: hunter2")
    assert hashes(REDACTOR, b"x PASSWORD=hunter2\npasswd=hunter2") == [one]
    assert hashes(REDACTOR, b"password: hunter3") != [one]
    assert hashes(Redactor(b"j" * 32), b"password: hunter2") != [one]
    assert hashlib.sha256(b"hunter2").hexdigest()[:32] != one


@pytest.mark.parametrize(
    ("argv", "kept"),
    [
        (("mysql", "-phunter2", "db"), ("mysql", "-p[redacted:flag]", "db")),
        (("sudo", "mysql", "-u", "x", "-phunter2"), ("sudo", "mysql", "-u", "x", "-p[redacted:flag]")),
        (
            ("/usr/bin/sshpass", "-p", "pw", "ssh", "h"),
            ("/usr/bin/sshpass", "-p", "[redacted:flag]", "ssh", "h"),
        ),
        (("curl", "-u", "bob:pw", "http://x"), ("curl", "-u", "bob:[redacted:flag]", "http://x")),
        (("x", "--password", "a b", "y"), ("x", "--password", "[redacted:flag]", "y")),
        (("x", "--db-password=a b", "y"), ("x", "--db-password=[redacted:password] b", "y")),
        (("x", "--token", "-t"), ("x", "--token", "[redacted:flag]")),
        (("x", "--password", "--force"), ("x", "--password", "--force")),
        (("ssh", "-p", "22", "host"), ("ssh", "-p", "22", "host")),
        (("mkdir", "-p", "/tmp/mysql"), ("mkdir", "-p", "/tmp/mysql")),
        (("sh", "-c", "PASSWORD=a1 x"), ("sh", "-c", "PASSWORD=[redacted:password] x")),
        (("ls", "a\udcffb", "новый\n"), ("ls", "a\udcffb", "новый\n")),
    ],
)
def test_arguments(argv: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert REDACTOR.argv(argv, Cuts()) == kept


def in_pieces(data: bytes, sizes: Iterator[int]) -> bytes:
    stream, out, at = REDACTOR.stream(Cuts()), [], 0
    while at < len(data):
        size = next(sizes)
        out.append(stream.feed(data[at : at + size]))
        at += size
    return b"".join((*out, stream.finish()))


@pytest.mark.parametrize("size", [1, 2, 7, 64, 4096])
def test_a_secret_right_before_a_private_key_is_cut_as_in_one_piece(size: int) -> None:
    for before in SECRETS:
        text = b"first line\n" + before.rstrip(b"\n") + PEM + b"\nlast line"
        assert in_pieces(text, repeat(size)) == REDACTOR.data(text, Cuts())


@given(st.data())
@settings(deadline=None)
def test_pieces_make_no_difference(data: st.DataObject) -> None:
    parts = data.draw(
        st.lists(
            st.sampled_from([*SECRETS, *INNOCENT]) | st.binary(max_size=30) | st.just(b"\n"), max_size=12
        )
    )
    text = b"".join(parts)
    sizes = data.draw(st.lists(st.integers(1, 200), min_size=1, max_size=20))

    def again() -> Iterator[int]:
        while True:
            yield from sizes

    assert in_pieces(text, again()) == REDACTOR.data(text, Cuts())


@given(st.data())
@settings(deadline=None, max_examples=25)
def test_pieces_make_no_difference_in_long_lines(data: st.DataObject) -> None:
    filler = data.draw(st.sampled_from([b"x", b"x ", b"aA1/", b"key=", b"eyJ.", b"pass "]))
    secret = data.draw(st.sampled_from(list(SECRETS))).strip(b"\r\n")
    before = data.draw(st.integers(LINE - 3 * LONGEST, LINE + 500))
    text = (
        (filler * before)[:before] + b" " + secret + b" " + (filler * LINE)[: data.draw(st.integers(0, LINE))]
    )
    size = data.draw(st.sampled_from([997, 16 * 1024, 100_000]))

    def again() -> Iterator[int]:
        while True:
            yield size

    whole = REDACTOR.data(text, Cuts())
    assert in_pieces(text, again()) == whole


@given(st.binary(max_size=300), st.sampled_from(list(SECRETS)), st.binary(max_size=300), st.integers(1, 64))
@settings(deadline=None)
def test_a_secret_on_a_line_of_its_own_is_cut_whatever_is_around(
    before: bytes, secret: bytes, after: bytes, size: int
) -> None:
    text = before.replace(b"-----", b"") + b"\n" + secret + b"\n" + after.replace(b"-----", b"")

    def again() -> Iterator[int]:
        while True:
            yield size

    assert SECRETS[secret] not in in_pieces(text, again()).replace(before, b"").replace(after, b"")


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_whatever_was_cut_once_is_not_cut_again(data: bytes) -> None:
    once = REDACTOR.data(data, Cuts())
    assert REDACTOR.data(once, Cuts()) == once


HOSTILE = [
    b"eyJ", b"eyJ.", b"pass", b"password=", b"://", b"://a:", b"mysql ", b"mysql -", b"key", b"key:", b"api_key:a",
    b"cookie:", b"cookie: ", b"authorization:", b"AKIA", b"xoxb-", b'token="', b"token:", b"token: a", b"sig=",
    b"_live_", b"bearer ", b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN ",
    b"curl -u ", b"pass\\", b"secret\\\"=\\\"", b"docker login", b"redis-cli -a", b"8Q~", b"a", b"\n", b"\r", b"= ",
    b"password: '", b"[redacted:", b"hooks.slack.com/", b"ghp_", b"glpat-", b"correct horse",
]  # fmt: skip


@pytest.mark.parametrize("word", HOSTILE, ids=repr)
def test_time_is_linear_in_hostile_input(word: bytes) -> None:
    def took(size: int, enough: float = 0.0) -> float:
        data, best = (word * (size // len(word) + 1))[:size], float("inf")
        for _ in range(3):
            began = time.thread_time()
            in_pieces(data, iter(lambda: 16 * 1024, 0))
            best = min(best, time.thread_time() - began)
            if best < enough:
                break
        return best

    small = took(40_000)
    limit = min(max(50 * small, 0.25), 4)  # ten times as much; quadratic would be a hundred; 4 is 100 KB/s
    large = took(400_000, enough=limit)
    assert large < limit, (small, large)


def test_memory_is_bounded_whatever_comes() -> None:
    for piece in (b"x" * 16_384, PEM[:100] + b"\n", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"\n"):
        stream = REDACTOR.stream(Cuts())
        for _ in range(200):
            stream.feed(piece)
            assert len(stream._held) <= LINE + 16_384


def test_a_key_that_never_ends_takes_no_other_lines_with_it() -> None:
    body = base64.b64encode(bytes(range(48)))
    text = (
        b"-----BEGIN RSA PRIVATE KEY-----\n"
        + body
        + b"\nand then it broke off\n"
        + b"an ordinary line\n" * 2000
    )
    cut = REDACTOR.data(text, Cuts())
    assert body not in cut
    assert cut.count(b"an ordinary line\n") == 2000
    assert b"and then it broke off" in cut


def test_the_two_ways_to_find_anchors_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ahocorasick_rs", reason="ahocorasick-rs is not installed (PyPI)")
    groups = [detector.anchors for detector in DETECTORS]
    fast = Anchors(groups)
    monkeypatch.setattr(anchors, "_automata", lambda _: (None, None))
    slow = Anchors(groups)
    for text in (*SECRETS, *INNOCENT, b"keyeyjkey ghp_passpass secretoken xoxox", b""):
        assert fast.find(text) == slow.find(text)


def test_rows_can_hold_what_it_makes() -> None:
    cuts = Cuts()
    words = REDACTOR.argv(("x", "--password", "a\udcff"), cuts)
    assert json.loads(json.dumps(words)) == ["x", "--password", "[redacted:flag]"]
    assert cuts.count == 1
