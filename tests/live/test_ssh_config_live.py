"""What we make of ssh_config is what `ssh -G` makes of it: on written cases, and on generated files."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cockpit.errors import ConfigError
from cockpit.ssh.comparison import beside
from cockpit.ssh.config import read
from cockpit.ssh.config.tokens import Here
from tests.helpers.examples import examples
from tests.live.servers import program

EXPECTED = {"stricthostkeychecking", "forwardagent"}
"""Where we do less than OpenSSH, on purpose."""


HERE = Here.now()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    program("ssh", "openssh-client")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent/here")
    monkeypatch.setenv("OTHER_AGENT", "/agent/there")
    monkeypatch.setenv("PLACE", "/place")
    monkeypatch.delenv("NOWHERE", raising=False)
    monkeypatch.setenv("SHELL", "/bin/sh")


def dump(file: str, host: str, *more: str) -> Mapping[str, Sequence[str]] | None:
    """Return what `ssh -G` says, or None where it refuses the file."""
    done = subprocess.run(
        ["ssh", "-G", "-F", file, *more, "--", host],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        return None
    return parsed(done.stdout)


def parsed(text: str) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        options.setdefault(name.lower(), []).append(value)
    return options


def differences(file: Path, host: str, *, user: str = "", port: int = 0) -> list[str]:
    """Return where we and OpenSSH differ about a host; the word `refused` where only one takes the file."""
    more = [*(["-l", user] if user else []), *(["-p", str(port)] if port else [])]
    theirs = dump(str(file), host, *more)
    try:
        reading = asyncio.run(read(host, files=[file], user=user, port=port))
    except ConfigError as error:
        return [] if theirs is None else [f"refused by us: {error}"]
    if theirs is None:
        return ["refused by OpenSSH"]
    defaults = dump("none", host)
    assert defaults is not None
    return [
        f"{each.option}: {each.openssh} is not {each.cockpit}"
        for each in beside(reading, theirs, defaults)
        if each.state == "differs" and each.option not in EXPECTED
    ]


CASES = {
    "first value": "Port 1\nPort 2\nHost a\nUser x\nHost *\nUser y\n",
    "capital letters": "HOST A\nUSER big\nHost a\nuser small\n",
    "host name is lowered": "HostName Web.%h.EXAMPLE\n",
    "host name percent": "HostName %%%h\n",
    "host name with another token": "HostName %n\n",
    "final pass": "Host a\nHostName b.example\nMatch final\nPort 7\nHost b.example\nUser x\n",
    "final pass matches the new name": "Host a\nHostName b\nMatch final host b\nPort 7\nMatch host a\nPort 8\n",
    "final asked for elsewhere": "Host a\nHostName b\nHost nobody\nMatch final\nHost b\nPort 9\n",
    "canonical without a pass": "Match canonical\nPort 9\n",
    "not final": "Match !final\nPort 9\nMatch final\nUser z\n",
    "originalhost": "Host a\nHostName b\nMatch originalhost a host b\nUser x\n",
    "match host is case-blind": "Match host A\nPort 4\n",
    "host is not": "Host A\nPort 4\n",
    "match user": "Match user root\nPort 4\nMatch user x\nPort 9\n",
    "match user said before": "User x\nMatch user x\nPort 9\n",
    "match localuser": "Match localuser *\nPort 9\n",
    "match equals": 'Match host=a,"b" user = *\nPort 4\n',
    "match all": "Match all # yes\nPort 4\n",
    "match host all": "Match host a all\nPort 4\n",
    "match all host": "Match all host a\nPort 4\n",
    "match not all": "Match !all\nPort 4\n",
    "match nothing": "Match # nothing\nPort 4\n",
    "match without argument": "Match host\nPort 4\n",
    "match unknown": "Match moon full\nPort 4\n",
    "match empty": 'Match host ""\nPort 4\n',
    "match negated list": "Match host !b,!c\nPort 4\n",
    "match exec": 'Match exec "test %h = a -a %n = a -a %p = 22 && test %% = %%"\nPort 4\n',
    "match exec fails": 'Match exec "exit 3"\nPort 4\nMatch !exec false\nUser u\n',
    "match exec token": 'Match exec "test %q"\nPort 4\n',
    "match exec alias": 'HostName b\nMatch exec "test %k = b"\nPort 4\n',
    "match exec is skipped": 'Match host nobody exec "kill $$"\nPort 4\n',
    "match exec is killed": 'Match exec "kill $$"\nPort 4\n',
    "match exec reads quotes": "Match exec \"test 'a b' = 'a b'\"\nPort 4\n",
    "negation decides": "Host a !a\nPort 4\nHost !b\nPort 5\nHost !b *\nPort 6\n",
    "quoted patterns": 'Host "a b" a\nUser = "y z"\n',
    "equals": "Port=4\nUser==x\nHostKeyAlias = y\n",
    "two equals": "Port = =4\n",
    "comments": "Port 4 # four\nUser x#y\n#User z\n   # User z\n\t\n",
    "quotes": "User 'a\"b'\nHostKeyAlias \"it's\"\nBindAddress a\\ b\n",
    "backslashes": "User \"a\\\"b\"\nHostKeyAlias a\\b\\\\c\\'d\nBindAddress 'a\\ b'\n",
    "open quote": 'User "a\n',
    "open quote in a keyword": '"Po rt 5\nUser x\n',
    "quoted keyword": '"Port" 4\n',
    "windows": "Port 4\r\nUser x\t\r\n",
    "form feed": "Port 4\f\n\f\n",
    "no argument": "Port\n",
    "empty argument": 'User ""\n',
    "too many": "Port 4 5\n",
    "host without a name": "Host\n",
    "host of nothing": 'Host ""\n',
    "unknown": "Bogus x\n",
    "unknown elsewhere": "Host nobody\nBogus x\n",
    "ignored": "IgnoreUnknown bo*,Foo\nBogus x\nfoo y\nPort 4\n",
    "ignored too late": "Bogus x\nIgnoreUnknown bogus\n",
    "ignored elsewhere": "Host nobody\nIgnoreUnknown bogus\nHost a\nBogus x\n",
    "ignored quotes": 'IgnoreUnknown bogus\nBogus "\n',
    "ignored emptiness": "IgnoreUnknown bogus\nBogus\n",
    "obsolete": "Protocol 2\nUseRoaming no\nCipher x\nRhostsAuthentication maybe\n",
    "aliases": "ChallengeResponseAuthentication no\nDSAAuthentication no\nIdentityFile2 /x\nKeepAlive no\n",
    "flags": "PasswordAuthentication FALSE\nHashKnownHosts True\nCompression YES\nIdentitiesOnly yes\n",
    "bad flag": "Compression maybe\n",
    "bad flag elsewhere": "Host nobody\nCompression maybe\n",
    "pubkey": "PubkeyAuthentication host-bound\n",
    "no pubkey": "PubkeyAuthentication no\n",
    "port by name": "Port ssh\n",
    "port zero": "Port 0\n",
    "port hexadecimal": "Port 0x16\n",
    "port too large": "Port 65536\n",
    "numbers": "NumberOfPasswordPrompts 010\nConnectionAttempts 4\nServerAliveCountMax 0\n",
    "negative": "NumberOfPasswordPrompts -1\n",
    "times": "ConnectTimeout 1h1m1\nServerAliveInterval 1M30S\n",
    "none is not said": "ConnectTimeout none\nConnectTimeout 5\nServerAliveInterval none\nServerAliveInterval 4\n",
    "bad time": "ConnectTimeout 5x\n",
    "keys": "IdentityFile ~/%h-%r\nIdentityFile /a\nIdentityFile /a\nIdentityFile ${PLACE}/%%%u%p%i%d%L%l%k%n%C\n",
    "no keys": "IdentityFile none\n",
    "certificates": "CertificateFile ~/c\nCertificateFile /d\n",
    "agent": "IdentityAgent ~/x%h${PLACE}\n",
    "agent by name": "IdentityAgent SSH_AUTH_SOCK\n",
    "agent by variable": "IdentityAgent $OTHER_AGENT\n",
    "agent by missing variable": "IdentityAgent $NOWHERE\n",
    "agent by missing braces": "Host nobody\nIdentityAgent ${NOWHERE}\n",
    "agent by bad name": "IdentityAgent $no-name\n",
    "no agent": "IdentityAgent none\n",
    "known hosts": "UserKnownHostsFile ~/a /%k%% ${PLACE}/%h\nHostKeyAlias al\nUserKnownHostsFile b\n",
    "no known hosts": "UserKnownHostsFile none\nGlobalKnownHostsFile none\n",
    "none and more": "UserKnownHostsFile none b\n",
    "global known hosts": "GlobalKnownHostsFile ~/a ${PLACE} %h\n",
    "known hosts by missing variable": "UserKnownHostsFile ${NOWHERE}\n",
    "alias": "HostKeyAlias Big.%h\nUserKnownHostsFile /%k\nIdentityFile /%k\nMatch exec 'test %k = Big.%h'\nPort 4\n",
    "revoked": "RevokedHostKeys /r\n",
    "strict": "StrictHostKeyChecking YES\n",
    "accept-new": "StrictHostKeyChecking accept-new\n",
    "ask": "StrictHostKeyChecking ask\nStrictHostKeyChecking yes\n",
    "add keys": "AddKeysToAgent confirm 5m\n",
    "add keys for a time": "AddKeysToAgent 1h\n",
    "add keys badly": "AddKeysToAgent yes 5m\n",
    "jump": "ProxyJump ssh://u@h:7,b,[::1]:33 # foo\nProxyCommand nc\n",
    "jump with tokens": "HostName b\nUser u\nProxyJump %r@%h-%n\n",
    "command before jump": "ProxyCommand nc %h %p %% %r %n\nProxyJump j\n",
    "no command before jump": "ProxyCommand none\nProxyJump j\n",
    "no jump": "ProxyJump none\nProxyJump j\n",
    "no jump before command": "ProxyJump none\nProxyCommand nc\n",
    "none among jumps": "ProxyJump u@h:33,none\n",
    "bad jump": "ProxyJump u@[::1]:33,::2\n",
    "bad jump elsewhere": "Host nobody\nProxyJump @b\n",
    "bad jump port": "ProxyJump a,x:y\n",
    "command with quotes": 'ProxyCommand "a b" c # no\n',
    "command with equals": "ProxyCommand = nc %h\n",
    "environment": 'SendEnv LANG LC_* FOO\nSendEnv -LC_* -F?O\nSetEnv A=1 B="x y" A=3\nSetEnv C=4\n',
    "no environment": "SendEnv LANG A\nSendEnv -*\n",
    "bad environment": "SetEnv A\n",
    "bad environment name": "SendEnv A=b\n",
    "algorithms": "Ciphers ^aes256-ctr\nKexAlgorithms -diffie*\nMACs +hmac-md5\nHostKeyAlgorithms ssh-ed25519\n",
    "more algorithms": "PubkeyAcceptedAlgorithms +ssh-rsa\nCASignatureAlgorithms -ssh-ed25519\n",
    "authentications": "PreferredAuthentications publickey,password\n",
    "authentications with spaces": "PreferredAuthentications publickey, password\n",
    "family": "AddressFamily INET6\nBindAddress 127.0.0.1\n",
    "forwards": "LocalForward 80 b:90\nRemoteForward 80 b:90\nDynamicForward 80\n",
    "include nothing": "Include /nowhere/*\nInclude nowhere\nPort 4\n",
    "include empty": 'Include ""\n',
    "canonical names": "CanonicalizeHostname yes\nCanonicalDomains x.invalid\nMatch canonical\nUser z\n",
    "canonical names of a proxy": "CanonicalizeHostname yes\nProxyJump j\nMatch final\nUser z\n",
    "byte order mark": "\ufeffPort 4\n",
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_means_what_it_means_to_openssh(case: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(CASES[case], newline="")
    assert differences(file, "a") == []


@pytest.mark.parametrize(
    "host", ["127.1", "::0:1", "0x7f.1", "10.0.0.1", "fe80::1%lo", "Web.Example", "root@a", "ssh://u@a:7"]
)
def test_a_name_means_what_it_means_to_openssh(host: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Host a\nPort 4\nUser x\nMatch user root\nHostKeyAlias r\n")
    assert differences(file, host) == []


def test_what_is_asked_for_goes_before_the_files(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("Port 4\nUser x\nMatch user me\nHostKeyAlias mine\n")
    assert differences(file, "a", user="me", port=9) == []


def test_includes_are_read_where_they_stand(tmp_path: Path) -> None:
    file, inner = tmp_path / "config", tmp_path / "d"
    inner.mkdir()
    (inner / "1.conf").write_text("User first\nHost b\nPort 4\n")
    (inner / "2.conf").write_text("User second\nHostKeyAlias two\nHost nobody\n")
    (inner / ".hidden").write_text("Compression yes\n")
    (inner / "deep").write_text(f"Include {inner}/1.conf\nMatch host b\nBindAddress x\n")
    file.write_text(
        f"Host a\nInclude {inner}/*.conf {inner}/deep\nCompression no\nHost *\nInclude {inner}/deep\n"
    )
    for host in "abc":
        assert differences(file, host) == []


def test_what_is_wrong_in_an_include_that_does_not_count_is_wrong_still(tmp_path: Path) -> None:
    file, inner = tmp_path / "config", tmp_path / "inner"
    inner.write_text("Host *\nBogus 1\n")
    file.write_text(f"Host nobody\nInclude {inner}\n")
    assert differences(file, "a") == []
    inner.write_text("Host *\nPort 1\nMatch all\nUser x\nMatch final\n")
    assert differences(file, "a") == []


def test_a_circle_of_includes_is_refused_by_both(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(f"Include {file}\n")
    assert dump(str(file), "a") is None
    with pytest.raises(ConfigError, match="at most 16 deep"):
        asyncio.run(read("a", files=[file]))


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o666, 0o646])
def test_an_include_that_others_may_write_to_is_refused_by_both(mode: int, tmp_path: Path) -> None:
    file, inner = tmp_path / "config", tmp_path / "inner"
    inner.write_text("Port 4\n")
    inner.chmod(mode)
    file.write_text(f"Include {inner}\n")
    assert differences(file, "a") == []


def test_the_files_that_are_read_by_default_are_openssh_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a mount namespace of its own, where the home and /etc/ssh are ours."""
    home, system = tmp_path / "home", tmp_path / "system"
    (home / ".ssh" / "d").mkdir(parents=True)
    system.mkdir()
    (home / ".ssh" / "config").write_text(
        "Include d/*\nHost a\nUser x\nIdentityFile ~/k\nHost b\nInclude ~/more\n"
    )
    (home / ".ssh" / "d" / "1").write_text("Port 7\n")
    (home / "more").write_text("HostKeyAlias more\n")
    (system / "ssh_config").write_text("Include more\nUser y\nIdentityFile ~/k\n")
    (system / "more").write_text("Compression yes\n")
    mounts = f"mount --bind {shlex.quote(str(system))} /etc/ssh && mount --bind {shlex.quote(str(home))} {HERE.home}"
    inside = [program("unshare", "util-linux"), "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces can't be made here")
    monkeypatch.setattr("cockpit.ssh.config.hosts.SYSTEM_FILE", str(system / "ssh_config"))
    monkeypatch.setattr("cockpit.ssh.config.reader.SYSTEM_FOLDER", str(system))
    here = replace(HERE, home=str(home))
    for host, user, alias in (("a", "x", None), ("b", "y", ["more"]), ("c", "y", None)):
        argv = [*inside, "ssh", "-G", host]
        ran = subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        theirs = parsed(ran.stdout.replace(f"{HERE.home}/", f"{home}/"))
        assert (theirs["user"], theirs["port"], theirs.get("hostkeyalias")) == ([user], ["7"], alias)
        reading = asyncio.run(read(host, here=here))
        found = beside(reading, theirs, dump("none", host) or {})
        assert [each for each in found if each.state == "differs"] == []


@pytest.mark.parametrize(
    "text", ["IdentityFile ~/%h-%r-%p-%u-%d-%i-%L-%l-%k-%n-%%-${PLACE}\nCertificateFile ~/c%h%C\n"]
)
def test_names_of_keys_are_those_that_openssh_opens(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(f"HostKeyAlias Alias\nHostName B.%h\nUser me\nPort 7\n{text}")
    argv = ["ssh", "-v", "-F", str(file), "-o", "ProxyCommand=false", "A"]
    ran = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=20
    )
    config = asyncio.run(read("A", files=[file])).config
    assert [f"debug1: identity file {path} type -1" for path in config.identity_files] == [
        line for line in ran.stderr.splitlines() if "identity file" in line
    ]
    assert [f"debug1: certificate file {path} type -1" for path in config.certificate_files] == [
        line for line in ran.stderr.splitlines() if "certificate file" in line
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = os.environ.get("PLACE")
    os.environ["PLACE"] = "/place"
    yield tmp_path_factory.mktemp("generated")
    if before is None:
        del os.environ["PLACE"]


NAMES = ("a", "web1", "web2.example", "DB", "db")
HOST_PATTERNS = st.sampled_from(
    ("a", "web*", "*", "!db", "w?b1", "*.example", "!web1", "DB", "nobody", '"a"', "b")
)
LISTS = st.lists(
    st.sampled_from(("a", "web*", "*", "!db", "B", "b", "*.example", "x", "root")), min_size=1, max_size=3
)
CONDITIONS = st.one_of(
    st.builds(
        "{}{} {}".format,
        st.sampled_from(("", "!")),
        st.sampled_from(("host", "originalhost", "user", "localuser", "HOST")),
        LISTS.map(",".join),
    ),
    st.sampled_from(
        ("final", "canonical", "!final", "!canonical", "exec true", '!exec "test %h = a"', "all", "!all")
    ),
)
TEXTS = st.sampled_from(
    ("x", "y", '"a b"', "'c d'", "%h", "%%", "a#b", "e\\ f", '""', "x # c", "x y", '"', "~", "${PLACE}")
)
FLAGS = st.sampled_from(("yes", "no", "true", "FALSE", "maybe"))
PATHS = st.sampled_from(("/k", "~/k", "~/%h", "/%r/%n", "${PLACE}/%p", "none", '"/a b"', "/%%"))
VALUES: dict[str, st.SearchStrategy[str]] = {
    "HostName": st.sampled_from(("b", "B.%h", "%h.example", "10.0.0.1", "%%x")),
    "User": st.sampled_from(("x", "root", '"a b"')),
    "Port": st.sampled_from(("22", "2222", "ssh", "0", "70000", "+5", "1 2")),
    "HostKeyAlias": TEXTS,
    "BindAddress": TEXTS,
    "IdentityFile": PATHS,
    "CertificateFile": PATHS,
    "UserKnownHostsFile": st.lists(PATHS, min_size=1, max_size=2).map(" ".join),
    "GlobalKnownHostsFile": PATHS,
    "IdentityAgent": st.one_of(PATHS, st.sampled_from(("SSH_AUTH_SOCK", "$PLACE", "$NOWHERE"))),
    "ProxyJump": st.sampled_from(
        ("gw", "u@gw:7", "gw,[::1]:2", "none", "NONE", "%h-gw", "ssh://gw", "gw # c", ":7")
    ),
    "ProxyCommand": st.sampled_from(("nc %h %p", "none", "= nc", '"x y" z', "nc # c")),
    "StrictHostKeyChecking": st.sampled_from(("yes", "ask", "accept-new", "off", "no", "later")),
    "ConnectTimeout": st.sampled_from(("5", "1m30", "none", "2H", "x", "1w")),
    "ServerAliveInterval": st.sampled_from(("5", "none", "0", "1d")),
    "ServerAliveCountMax": st.sampled_from(("5", "0", "-1", "007")),
    "AddKeysToAgent": st.sampled_from(("yes", "no", "ask", "confirm", "confirm 10", "5m", "yes 5")),
    "SendEnv": st.sampled_from(("LANG", "LC_* X", "-LC_*", "A -A", "-*", "A=b")),
    "SetEnv": st.sampled_from(("A=1", 'A="1 2" B=', "A=1 A=2", "A")),
    "Ciphers": st.sampled_from(("aes256-ctr", "+aes128-cbc", "-aes*", "^aes128-gcm@openssh.com,aes128-ctr")),
    "PreferredAuthentications": st.sampled_from(("publickey", "password,publickey")),
    "IgnoreUnknown": st.sampled_from(("bogus", "b*", "x")),
    "Bogus": TEXTS,
    **dict.fromkeys(("Compression", "IdentitiesOnly", "HashKnownHosts", "PasswordAuthentication"), FLAGS),
}
OPTION_LINES = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds(
        "{}{}{}{}".format,
        st.sampled_from((name, name.lower(), f"  {name}", f"\t{name.upper()}")),
        st.sampled_from((" ", " ", " ", "=", " = ", "\t", " =")),
        VALUES[name],
        st.sampled_from(("", "", " ", "\r", "\t")),
    )
)
BLOCK_LINES = st.one_of(
    st.lists(HOST_PATTERNS, min_size=1, max_size=3).map(lambda words: f"Host {' '.join(words)}"),
    st.lists(CONDITIONS, min_size=1, max_size=2).map(lambda words: f"Match {' '.join(words)}"),
)
LINES = st.one_of(
    OPTION_LINES, OPTION_LINES, BLOCK_LINES, st.sampled_from(("", "# comment", "Include inner", "Host *"))
)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    outer=st.lists(LINES, max_size=10),
    inner=st.lists(st.one_of(OPTION_LINES, BLOCK_LINES), max_size=4),
    host=st.sampled_from(NAMES),
)
def test_a_generated_file_means_what_it_means_to_openssh(
    folder: Path, outer: list[str], inner: list[str], host: str
) -> None:
    (folder / "inner").write_text("\n".join(inner) + "\n", newline="")
    text = "\n".join(outer).replace("Include inner", f"Include {folder}/inn*r")
    (folder / "config").write_text(text + "\n", newline="")
    assert differences(folder / "config", host) == []
