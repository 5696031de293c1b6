"""What the differential tests against `ssh -G` can't show: later releases, our limits, and what people are told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cockpit.errors import ConfigError, ConfigErrors, HostUnreachable, UsageError
from cockpit.ssh.config import known_names, read, resolve
from cockpit.ssh.config.lines import LARGEST, delimited, split
from cockpit.ssh.config.matching import conditions, fits, fits_list
from cockpit.ssh.config.options import Wrong, seconds
from cockpit.ssh.config.tokens import Here
from cockpit.ssh.host_config import HostConfig, Jump
from tests.helpers.examples import examples


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


def said(config: Path, text: str, host: str = "a", *, user: str = "", port: int = 0) -> HostConfig:
    config.write_text(text)
    return asyncio.run(resolve(host, files=[config], user=user, port=port))


def test_all_that_a_host_is(config: Path) -> None:
    found = said(
        config,
        "Host a\n  HostName %h.example\n  Port 2200\n  ProxyJump me@gw:7,inner\n  IdentityFile /keys/%r\n"
        "  IdentitiesOnly yes\n  StrictHostKeyChecking yes\n  ConnectTimeout 1m\n  Ciphers +aes128-cbc,3des-cbc\n"
        "  SetEnv A=1\n  SendEnv LANG\n  LocalForward 80 b:80\nHost *\n  User ops\n  Port 22\n",
    )
    assert (found.name, found.hostname, found.user, found.port) == ("a", "a.example", "ops", 2200)
    assert found.proxy_jump == (Jump(host="gw", user="me", port=7), Jump(host="inner"))
    assert found.identity_files == ("/keys/ops",)
    assert (found.identities_only, found.strict_host_key_checking) == (True, "yes")
    assert found.connect_timeout == 60
    assert found.ciphers == ("+aes128-cbc", "3des-cbc")
    assert (found.set_env, found.send_env) == (("A=1",), ("LANG",))
    assert found.extra == (("localforward", "80 b:80"),)


@pytest.mark.parametrize(
    ("text", "host", "fields"),
    [
        ("Tag prod\nMatch tagged prod\nPort 7\n", "a", {"port": 7}),
        ("Match tagged prod\nPort 7\nTag prod\n", "a", {"port": 22}),
        ("Match version OpenSSH_1*\nPort 7\n", "a", {"port": 7}),
        ("Match sessiontype shell\nPort 7\n", "a", {"port": 7}),
        ('Match command "rsync *"\nPort 7\n', "a", {"port": 22}),
        ("Match localnetwork 127.0.0.0/8\nPort 7\n", "a", {"port": 7}),
        ("Match localnetwork 203.0.113.0/24\nPort 7\n", "a", {"port": 22}),
        ("Match localnetwork 127.0.0.0/8,!127.0.0.1/32\nPort 7\n", "a", {"port": 22}),
        ("User op-%n\n", "a", {"user": "op-a"}),
        ("StrictHostKeyChecking no\n", "a", {"strict_host_key_checking": "ask"}),
        ("StrictHostKeyChecking off\n", "a", {"strict_host_key_checking": "ask"}),
        ("ForwardAgent yes\n", "a", {"forward_agent": "yes"}),
        ("ForwardAgent no\nForwardAgent /agent\n", "a", {"forward_agent": ""}),
        ("ForwardAgent /%h\n", "a", {"forward_agent": "/a"}),
        ("AddKeysToAgent confirm 1h\n", "a", {"add_keys_to_agent": "confirm 3600"}),
        ("AddKeysToAgent no\n", "a", {"add_keys_to_agent": ""}),
        ("User x\n", "me@a", {"user": "me", "name": "me@a", "hostname": "a"}),
        ("", "CORP\\me@a", {"user": "CORP\\me"}),
        ("User x\n", "ssh://me@a:7", {"user": "me", "hostname": "a", "port": 7}),
        (
            "ProxyCommand nc %h %p as %r # no comment\n",
            "a",
            {"proxy_command": "nc a 22 as root # no comment"},
        ),
        ("ProxyJump none\n", "a", {"proxy_jump": ()}),
        ("UserKnownHostsFile none\n", "a", {"user_known_hosts_files": ()}),
        ("IdentityFile none\n", "a", {"identity_files": ()}),
        ("IdentityAgent none\n", "a", {"identity_agent": ""}),
    ],
)
def test_a_case_of_the_manual(text: str, host: str, fields: dict[str, object], config: Path) -> None:
    text = text.replace("ProxyCommand", "User root\nProxyCommand")
    found = said(config, text, host)
    assert {name: getattr(found, name) for name in fields} == fields


def test_what_is_given_goes_before_the_file(config: Path) -> None:
    found = said(config, "User %h\nPort 4\nIdentityFile /%r/%p\n", user="%me", port=9)
    assert (found.user, found.port, found.identity_files) == ("%me", 9, ("/%me/9",))


def test_a_certificate_beside_a_key_counts_where_none_is_said(config: Path, tmp_path: Path) -> None:
    (tmp_path / "id-cert.pub").touch()
    assert said(config, f"IdentityFile {tmp_path}/id\n").certificate_files == (f"{tmp_path}/id-cert.pub",)
    assert said(config, f"IdentityFile {tmp_path}/id\nCertificateFile /c\n").certificate_files == ("/c",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\nPrt 4\n", "config:3: Prt: is no option of ssh_config (did you mean port?)"),
        (
            "Zzz 4\n",
            "config:1: Zzz: is no option of ssh_config (IgnoreUnknown, said before it, lets it pass)",
        ),
        ("Port x4\n", "config:1: Port: takes a port from 1 to 65535"),
        (
            "StrictHostKeyChecking maybe\n",
            "config:1: StrictHostKeyChecking: takes yes or no or ask or accept-new",
        ),
        ('User "a\n', "config:1: User: takes quotes that are closed"),
        ("User a b\n", "config:1: User: takes one word; put a value with spaces in double quotes"),
        ("Match moon full\n", "config:1: Match: takes conditions (all, canonical, final, host, "),
        ("IdentityFile ${NOWHERE}/x\n", "config:1: identityfile: the environment has no variable NOWHERE"),
        (
            "IdentityFile /a\nIdentityFile %q\n",
            "config:2: identityfile: %q is no token here; there are %% %C",
        ),
        ("UserKnownHostsFile ~nobody-here/x\n", "config:1: userknownhostsfile: there is no user nobody-here"),
        ("RefuseConnection decommissioned\n", "config:1: RefuseConnection: decommissioned"),
        ("Include ~/a b\0c\n", "config:1: Include: takes text in UTF-8"),
        ("Match localnetwork moon\n", "config:1: Match: takes networks such as 10.0.0.0/8"),
        ('Match exec "kill $$"\n', "config:1: Match: takes a command after `exec` that ends by itself"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str, config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        said(config, text)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(told)


def test_all_mistakes_of_a_file_are_told_at_once(config: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        said(config, "Port 0\nHost nobody\nBogus 1\nUser\n")
    assert [mistake.line for mistake in caught.value.mistakes] == [1, 3, 4]


def test_bytes_that_are_no_text_are_a_mistake(config: Path) -> None:
    config.write_bytes(b"# caf\xe9\nUser caf\xe9\n")
    with pytest.raises(ConfigError, match=r"config:2: User: takes text in UTF-8"):
        asyncio.run(resolve("a", files=[config]))


@pytest.mark.parametrize(
    "host",
    ["-oProxyCommand=x", "a;id", "a b", "$(id)", "`id`", "a|b", "", "a\nb", "a\x1b[31m", "'a'", "u@", "a\\b"],
)
def test_a_name_that_could_be_more_than_a_name_is_refused(host: str, config: Path) -> None:
    with pytest.raises(UsageError, match="is no host's name"):
        said(config, "ProxyCommand nc %h\n", host)


@pytest.mark.parametrize("user", ["-x", "a;id", "a b", "$x", "a'b", "a`b", "a\nb", "a\\", "a|b"])
def test_a_user_that_could_be_more_than_a_user_is_refused(user: str, config: Path) -> None:
    with pytest.raises(UsageError, match="is no user's name"):
        said(config, "", user=user)


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o602])
def test_a_file_that_others_may_write_to_is_refused(mode: int, config: Path) -> None:
    config.write_text("Port 4\n")
    config.chmod(mode)
    with pytest.raises(ConfigError, match="may be written to by others"):
        asyncio.run(resolve("a", files=[config]))


def test_a_file_that_is_none_is_refused(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read: No such file"):
        asyncio.run(resolve("a", files=[config]))
    with pytest.raises(ConfigError, match="is no file"):
        asyncio.run(resolve("a", files=[tmp_path]))
    os.mkfifo(config)
    with pytest.raises(ConfigError, match="is no file"):
        asyncio.run(resolve("a", files=[config]))
    assert asyncio.run(resolve("a", files=[Path(os.devnull)])).port == 22


def test_an_enormous_file_is_refused(config: Path) -> None:
    with config.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(ConfigError, match="has more than 4 MiB"):
        asyncio.run(resolve("a", files=[config]))


def test_files_that_include_each_other_twice_end(config: Path, tmp_path: Path) -> None:
    text = f"Include {tmp_path}/*.conf\n"
    for number in range(8):
        (tmp_path / f"{number}.conf").write_text(text)
    with pytest.raises(ConfigError, match=r"is there a circle\?"):
        said(config, text)
    assert known_names([config]) == ()


def test_the_users_and_the_systems_files_are_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Here(user="me", uid=os.getuid(), home=str(tmp_path / "home"), hostname="box.example")
    folder = tmp_path / "home" / ".ssh"
    (folder / "d").mkdir(parents=True)
    (folder / "config").write_text("Include d/*\nHost a\nUser x\n")
    (folder / "d" / "1").write_text("Port 7\nIdentityFile ~/%L\n")
    monkeypatch.setattr("cockpit.ssh.config.hosts.SYSTEM_FILE", str(tmp_path / "system"))
    monkeypatch.setattr("cockpit.ssh.config.reader.SYSTEM_FOLDER", str(tmp_path))
    (tmp_path / "system").write_text("Include more\nUser y\nPort 9\n")
    (tmp_path / "more").write_text("Compression yes\n")
    found = asyncio.run(read("a", here=here)).config
    assert (found.user, found.port, found.compression) == ("x", 7, True)
    assert found.identity_files == (f"{tmp_path}/home/box",)
    assert found.user_known_hosts_files[0] == f"{tmp_path}/home/.ssh/known_hosts"
    (tmp_path / "system").write_text("Include ~/x\n")
    with pytest.raises(ConfigError, match="files that are in nobody's own folder"):
        asyncio.run(read("a", here=here))


def test_a_command_that_hangs_is_given_up(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cockpit.ssh.config.matching.EXEC_S", 0.2)
    started = time.monotonic()
    with pytest.raises(ConfigError, match=r"no answer within 0\.2 s"):
        said(config, 'Match exec "sleep 30"\nPort 4\n')
    assert time.monotonic() - started < 5


def test_a_command_of_a_block_that_does_not_count_is_not_run(config: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "inner").write_text(f'Match exec "touch {ran}"\nPort 4\n')
    assert said(config, f"Host nobody\nInclude {tmp_path}/inner\n").port == 22
    assert not ran.exists()
    assert said(config, f"Host a\nInclude {tmp_path}/inner\n").port == 4
    assert ran.exists()


class Resolver:
    """A name server of our own: names, and what they are aliases of."""

    def __init__(self, **names: str) -> None:
        self.names = {name.replace("_", "."): alias for name, alias in names.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, *args: object, **more: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, self.names[host], ("127.0.0.1", 0))]


CANONICAL = "CanonicalizeHostname yes\nCanonicalDomains x.example y.example\n"


@pytest.mark.parametrize(
    ("text", "host", "hostname", "asked"),
    [
        (CANONICAL, "db", "db.y.example", ["db.x.example.", "db.y.example."]),
        (CANONICAL, "nowhere", "nowhere", ["nowhere.x.example.", "nowhere.y.example."]),
        (CANONICAL, "a.b.c", "a.b.c", []),
        (CANONICAL, "a.b.", "a.b.", ["a.b."]),
        (CANONICAL, "10.0.0.1", "10.0.0.1", []),
        (CANONICAL + "ProxyJump gw\n", "db", "db", []),
        (CANONICAL.replace("yes", "always") + "ProxyJump gw\n", "db", "db.y.example", None),
        (CANONICAL + "CanonicalizePermittedCNAMEs *.y.example:*.z.example\n", "db", "db.z.example", None),
        (CANONICAL + "CanonicalizePermittedCNAMEs *.x.example:*.z.example\n", "db", "db.y.example", None),
        (
            CANONICAL + "Match canonical host *.y.example\nPort 7\n",
            "db",
            "db.y.example",
            None,
        ),
    ],
)
def test_short_names_are_completed(
    text: str,
    host: str,
    hostname: str,
    asked: list[str] | None,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolver = Resolver(**{"db_y_example_": "db.z.example."})
    numeric = socket.getaddrinfo

    def lookup(name: str, *args: object, **more: object) -> object:
        if more.get("flags") == socket.AI_NUMERICHOST:
            return numeric(name, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return resolver(name)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    found = said(config, text, host)
    assert found.hostname == hostname
    assert found.port == (7 if "Port 7" in text else 22)
    assert asked is None or resolver.asked == asked


def test_a_short_name_that_must_be_completed_and_can_not_fails(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *args, **more: resolver(name))
    with pytest.raises(HostUnreachable, match="its name is unknown in all of CanonicalDomains"):
        said(config, CANONICAL + "CanonicalizeFallbackLocal no\n")


def test_names_to_choose_from(config: Path, tmp_path: Path) -> None:
    (tmp_path / "1.conf").write_text("Host web1 web2 web*\nBogus is no matter here\n")
    config.write_text(
        f"Host bastion !x\nHost nobody\nInclude {tmp_path}/*.conf\nHost db?\nHost web1 last # x\n"
    )
    assert known_names([config]) == ("bastion", "nobody", "web1", "web2", "last")


def test_a_changed_file_is_read_again(config: Path) -> None:
    assert said(config, "Port 4\n").port == 4
    assert said(config, "Port 5\n").port == 5


@pytest.mark.alone
def test_two_hundred_hosts_are_cheap(config: Path) -> None:
    config.write_text("".join(f"Host h{n} h{n}.*\n  HostName 10.0.0.{n}\n  User u{n}\n" for n in range(250)))

    async def all_of_them() -> None:
        for number in range(200):
            assert (await resolve(f"h{number}", files=[config])).hostname == f"10.0.0.{number}"

    asyncio.run(all_of_them())
    started = time.process_time()
    asyncio.run(all_of_them())
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b", ["a", "b"]),
        ("a # b", ["a"]),
        ("a#b", ["a#b"]),
        ("'a b' \"c 'd\"", ["a b", "c 'd"]),
        (r"a\ b \"c\' d\e \\", ["a b", "\"c'", r"d\e", "\\"]),
        (r"'a\ b'", [r"a\ b"]),
        ("", []),
        ("''", [""]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_words_with_open_quotes_are_none() -> None:
    with pytest.raises(Wrong):
        split("a 'b")


@pytest.mark.parametrize(
    ("text", "first", "rest"),
    [
        ("Port 4", "Port", "4"),
        ("Port=4", "Port", "4"),
        ("Port = 4", "Port", "4"),
        ("Port = =4", "Port", "=4"),
        ('"Port" 4', "Port", "4"),
        ('"Port 4', None, None),
        ("Port", "Port", None),
    ],
)
def test_the_first_word(text: str, first: str | None, rest: str | None) -> None:
    assert delimited(text) == (first, rest)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("a.co.uk", "*.co.uk", True),
        ("co.uk", "*.co.uk", False),
        ("192.168.0.7", "192.168.0.?", True),
        ("192.168.0.77", "192.168.0.?", False),
        ("a[1]", "a[1]", True),
        ("a1", "a[1]", False),
        ("a", "a**", True),
        ("a\nb", "a*b", True),
    ],
)
def test_patterns(text: str, pattern: str, expected: bool) -> None:
    assert fits(text, pattern) is expected


def test_a_pattern_can_not_take_long() -> None:
    started = time.monotonic()
    assert not fits("a" * 2000, "*a" * 12 + "b")
    assert time.monotonic() - started < 5


def test_lists_of_patterns() -> None:
    assert not fits_list("host3", "!host1,!host2")
    assert fits_list("host3", "!host1,!host2,*")
    assert not fits_list("host1", "*,!host1")


def test_conditions_are_read_with_what_ends_them() -> None:
    assert conditions("host a !user=b final").tests == (
        ("host", False, "a"),
        ("user", True, "b"),
        ("final", False, ""),
    )
    assert conditions("host a final").final
    with pytest.raises(Wrong, match="something after `host`"):
        conditions("host")


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("1m30s", 90), ("1h1", 3601), ("2W", 1_209_600), ("0", 0)]
)
def test_times(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "x", "5x", "-1", "1 m", "99999999999w"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Wrong):
        seconds(text)


_BITS = rb"""Host Include User Port ProxyJump IdentityFile IgnoreUnknown CanonicalDomains none a
    = " ' \ # % %h ${ } ~ * ! , @ [ ] : / Match"""
BITS = st.sampled_from([*_BITS.split(), b"Match host a", b" ", b"\n", b"\r", b"\t", b"\0", b"\xff"])


@settings(
    max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.one_of(st.lists(BITS, max_size=30).map(b"".join), st.binary(max_size=60)))
def test_any_file_is_read_or_refused(data: bytes, config: Path) -> None:
    config.write_bytes(data)
    with contextlib.suppress(ConfigError):
        asyncio.run(resolve("a", files=[config]))
    known_names([config])
