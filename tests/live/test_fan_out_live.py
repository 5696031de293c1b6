"""Commands on hosts through a real bastion: one, and many of them."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cockpit.ssh.connections import Connections, connections_of
from cockpit.ssh.quoting import quoted
from tests.helpers.cockpit_cli import COCKPIT, environment, run_verb
from tests.helpers.ssh_lab import SSHD, SshLab, ssh_lab

MANY = 30
"""Names of one and the same server."""
BY_OTHER_SHELLS = 'AcceptEnv LAB_SHELL\nForceCommand exec ${LAB_SHELL:-/bin/sh} -c "$SSH_ORIGINAL_COMMAND"\n'
"""Has a host behave as if the account's shell was the one that the client names."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("sshd and ssh are not installed (Debian packages openssh-server, openssh-client)")
    with ssh_lab(tmp_path_factory.mktemp("lab")) as made:
        name_one_server(made, MANY)
        yield made


def name_one_server(lab: SshLab, count: int) -> None:
    """Give a target's server many names; by an alias for its key, each gets a connection of its own."""
    address, port = lab.target_ports["one"]
    way = f"  HostName {address}\n  Port {port}\n  ProxyJump bastion\n"
    names = [f"web-{number:02}" for number in range(1, count + 1)]
    hosts = "".join(f"Host {name}\n{way}  HostKeyAlias {name}\n" for name in names)
    lab.config.write_text(hosts + lab.config.read_text())
    key = " ".join((lab.folder / "host_key.pub").read_text().split()[:2])
    with (lab.folder / "known_hosts").open("a") as known:
        known.write(f"web-* {key}\n")


@pytest.fixture
def data_dir(lab: SshLab, tmp_path: Path) -> Path:
    """Return where the cockpit keeps what it does; its configuration names the lab's hosts."""
    rules = [("one", "development", "pair"), ("two", "development", "pair"), ("local", "development", "")]
    rules += [(f"web-{number:02}", "development", "web") for number in range(1, MANY + 1)]
    rules += [("db-1", "production", "mixed"), ("db-2", "staging", "mixed")]
    tables = [
        f'[[targets]]\nname = "{name}"\nenvironment = "{where}"\ngroups = {json.dumps([group] if group else [])}\n'
        for name, where, group in rules
    ]
    (tmp_path / "cockpit.toml").write_text(f'[ssh]\nconfig = "{lab.config}"\n{"".join(tables)}')
    return tmp_path / "data"


def configured(data_dir: Path) -> dict[str, str]:
    return {**environment(data_dir), "COCKPIT_CONFIG": str(data_dir.parent / "cockpit.toml")}


def start(
    data_dir: Path,
    *words: str,
    stdout: int = subprocess.PIPE,
    stderr: int | None = None,
    stdin: int | None = None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COCKPIT, *words],
        env=configured(data_dir),
        cwd=data_dir.parent,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


def cockpit(data_dir: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return run_verb(words, env=configured(data_dir), cwd=data_dir.parent, timeout=60)


# One host.


def test_output_exit_status_and_record_are_those_of_the_program_on_the_host(data_dir: Path) -> None:
    script = "printf 'a\\377b'; printf err >&2; cat; exit 42"
    answer = cockpit(data_dir, "run", "--target", "one", "--", "sh", "-c", script)
    assert (answer.stdout, answer.stderr, answer.returncode) == (b"a\xffb", b"err", 42)
    shown = json.loads(cockpit(data_dir, "log", "list", "--json").stdout)
    assert [(action["target"], action["transport"], action["exit_status"]) for action in shown] == [
        ("one", "ssh", 42)
    ]


def test_ssh_takes_a_host_as_ssh_does_and_a_folder(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder's"
    folder.mkdir()
    answer = cockpit(data_dir, "ssh", "--cwd", str(folder), "two", "--", "pwd")
    assert (answer.stdout.decode(), answer.returncode) == (f"{folder}\n", 0)
    missing = cockpit(data_dir, "ssh", "--cwd", str(folder / "none"), "two", "--", "pwd")
    assert missing.returncode in {1, 2} and b"none" in missing.stderr and not missing.stdout


def test_a_signal_that_ends_the_program_is_128_and_its_number(data_dir: Path) -> None:
    assert cockpit(data_dir, "ssh", "one", "--", "sh", "-c", "kill -KILL $$").returncode == 128 + 9


@pytest.mark.parametrize(
    ("script", "ended_by"),
    [
        ("echo $$; exec sleep 60", "SIGTERM"),
        ("trap '' TERM; echo $$; while :; do sleep 0.1; done", "SIGKILL"),
    ],
)
def test_ctrl_c_ends_the_program_on_the_host(data_dir: Path, script: str, ended_by: str) -> None:
    running = start(data_dir, "ssh", "one", "--", "sh", "-c", script)
    assert running.stdout is not None
    process = int(running.stdout.readline())
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    [action] = json.loads(cockpit(data_dir, "log", "list", "--json").stdout)
    assert (action["state"], action["signal"]) == ("cancelled", ended_by)


def test_a_connection_that_is_lost_leaves_the_outcome_unknown_and_says_so(data_dir: Path) -> None:
    # The parent of what runs there is the sshd that serves the connection.
    answer = cockpit(
        data_dir, "ssh", "one", "--", "sh", "-c", "echo before; sleep 0.5; kill -KILL $PPID; sleep 1"
    )
    assert (answer.stdout, answer.returncode) == (b"before\n", 1)
    assert b"not known" in answer.stderr and b"look there before running it again" in answer.stderr
    [action] = json.loads(cockpit(data_dir, "log", "list", "--json").stdout)
    assert (action["state"], action["exit_status"]) == ("unknown-outcome", None)
    assert "not known" in action["error"]


def test_a_host_that_can_not_be_reached_is_recorded_as_failed(data_dir: Path, lab: SshLab) -> None:
    answer = cockpit(data_dir, "run", "--json", "--target", "nowhere.invalid", "--", "true")
    assert answer.returncode == 1 and b"nowhere.invalid" in answer.stderr
    assert json.loads(answer.stdout)["state"] == "failed"


# What is quoted, through sshd to a shell.


@pytest.fixture(scope="module")
def other_shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshLab]:
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("sshd and ssh are not installed (Debian packages openssh-server, openssh-client)")
    with ssh_lab(tmp_path_factory.mktemp("shells"), target=BY_OTHER_SHELLS) as made:
        yield made


def cases(count: int) -> list[list[str]]:
    chance = random.Random(7)
    letters = "'\"\\!$`*?[]{}()<>|&;#~=%^@ \t\n-+,.:/x0é\x7f\x1b\x01日\udcff"
    return [
        ["".join(chance.choices(letters, k=chance.randrange(10))) for _ in range(chance.randrange(4))]
        for _ in range(count)
    ]


async def said(connections: Connections, host: str, line: str, shell: str) -> bytes:
    program = await connections.start(host, line, environment={"LAB_SHELL": shell})
    out = b"".join([piece async for number, piece in program.pieces() if number == 1])
    assert (await program.wait()).exit_status == 0
    return out


async def test_every_accounts_shell_gives_the_program_what_was_quoted(other_shells: SshLab) -> None:
    from cockpit.config.settings import Settings, SshSettings

    wanted = cases(300)
    line = ";".join(quoted(("/usr/bin/printf", "%s\\0", "begin", *case)) for case in wanted)
    connections = connections_of(Settings(ssh=SshSettings(config=str(other_shells.config))))
    tried = []
    try:
        for shell in ("sh", "dash", "bash", "zsh", "fish", "tcsh", "mksh", "ksh"):
            if found := shutil.which(shell):
                words = (await said(connections, "two", line, found)).split(b"\0")[:-1]
                assert words == [os.fsencode(word) for case in wanted for word in ("begin", *case)], shell
                tried.append(shell)
    finally:
        await connections.close()
    assert {"sh", "bash"} <= set(tried)


# Many hosts.


def test_a_group_is_run_and_folded(data_dir: Path) -> None:
    answer = cockpit(
        data_dir, "run", "--target", "@web,two", "--parallel", "30", "--shell", "echo ${SSH_CONNECTION#* * }"
    )
    lines = answer.stdout.decode().splitlines()
    assert answer.returncode == 0, answer.stderr
    assert lines[0].split() == ["HOST", "STATE", "EXIT", "SECONDS", "FIRST", "LINE"]
    assert sum(" done " in line for line in lines[: MANY + 2]) == MANY + 1
    assert f"{MANY} hosts: web-[01-{MANY}] · done" in lines and "1 host: two · done" in lines
    assert f"{MANY + 1} done · recorded as" in answer.stderr.decode()


def test_as_json_hosts_are_actions_with_what_they_printed(data_dir: Path) -> None:
    answer = cockpit(
        data_dir, "run", "--json", "--target", "web-0[1-4]", "--ticket", "C-1", "--", "printf", "hi"
    )
    found = json.loads(answer.stdout)
    assert [each["target"] for each in found] == ["web-01", "web-02", "web-03", "web-04"]
    assert {(each["state"], each["exit_status"], each["ticket"]) for each in found} == {("done", 0, "C-1")}
    assert {each["output"][0]["text"] for each in found} == {"hi"}
    [above] = {each["fan_out"] for each in found}
    shown = json.loads(cockpit(data_dir, "log", "show", "--json", "--output", above).stdout)
    assert (shown["kind"], shown["target"]) == ("fan-out", "web-0[1-4]")
    listed = "".join(piece["text"] for piece in shown["output"])
    assert all(each["id"] in listed for each in found)


def test_as_lines_of_json_hosts_come_as_they_end(data_dir: Path) -> None:
    script = 'case $SSH_CONNECTION in *127.0.0.2*) sleep 2;; esac; echo "$SSH_CONNECTION"'
    running = start(data_dir, "run", "--jsonl", "--target", "one,two", "--shell", script)
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    assert running.poll() is None and first["target"] == "two"
    assert json.loads(running.stdout.readline())["target"] == "one"
    assert running.stdout.read() == b"" and running.wait(20) == 0


def test_a_change_without_a_terminal_stops_after_the_canary_and_says_how_to_go_on(
    data_dir: Path, tmp_path: Path
) -> None:
    words = ("--shell", f"touch {tmp_path}/${{SSH_CONNECTION##* }}-$PPID")
    answer = cockpit(data_dir, "run", "--target", "@pair", *words)
    assert answer.returncode == 1
    assert b"--go-on and --target '@pair,!one'" in answer.stderr
    on = cockpit(data_dir, "run", "--go-on", "--target", "@pair,!one", *words)
    assert on.returncode == 0, on.stderr
    assert len(list(tmp_path.glob("2*-*"))) == 2


def test_a_failed_change_is_1_and_starts_no_further_host(data_dir: Path, tmp_path: Path) -> None:
    answer = cockpit(
        data_dir, "run", "--json", "--go-on", "--target", "@web", "--parallel", "1", "--shell",
        f"set -C; : > {tmp_path}/made; touch {tmp_path}/x",
    )  # fmt: skip
    states = [each["state"] for each in json.loads(answer.stdout)]
    assert answer.returncode == 1
    assert states == ["done", "failed", *["not-started"] * (MANY - 2)]


def test_what_one_environment_refuses_is_3_and_touches_none(data_dir: Path, tmp_path: Path) -> None:
    words = ("run", "--target", "@mixed", "--shell", f"touch {tmp_path}/x")
    answer = cockpit(data_dir, *words)
    assert answer.returncode == 3 and b"--confirm @mixed" in answer.stderr
    other = cockpit(data_dir, *words[:3], "--confirm", "db-1", "--incident", "I", *words[3:])
    assert other.returncode == 3
    assert not (tmp_path / "x").exists()


def test_the_groups_name_lets_it_run_on_each(data_dir: Path, lab: SshLab, tmp_path: Path) -> None:
    words = ("--confirm", "@mixed", "--incident", "I", "--go-on", "--json")
    answer = cockpit(data_dir, "run", "--target", "@mixed", *words, "--shell", f"touch {tmp_path}/x")
    found = json.loads(answer.stdout)
    # The names lead nowhere; that they were tried is what the guard let happen.
    assert [(each["target"], each["state"], each["decision"]) for each in found[:1]] == [
        ("db-1", "failed", "run")
    ]
    assert found[1]["state"] == "not-started" and answer.returncode == 1


def test_ctrl_c_stops_all_of_them(data_dir: Path, tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid-$PPID; exec sleep 60"
    running = start(
        data_dir, "run", "--json", "--go-on", "--parallel", "4", "--target", "@web", "--shell",
        f"if mkdir {tmp_path}/first 2>/dev/null; then exit; fi; {script}",
    )  # fmt: skip
    for _ in range(400):
        if len(list(tmp_path.glob("pid-*"))) == 4:
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=20)
    states = [each["state"] for each in json.loads(out)]
    assert running.returncode == 130
    assert states == ["done", *["cancelled"] * 4, *["not-started"] * (MANY - 5)]
    for path in tmp_path.glob("pid-*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text()), 0)


@pytest.mark.parametrize(("answer", "status", "not_started"), [("yes", 0, False), ("no", 1, True)])
def test_at_a_terminal_the_canary_is_shown_and_asked_about(
    data_dir: Path, tmp_path: Path, answer: str, status: int, not_started: bool
) -> None:
    ours, theirs = pty.openpty()
    words = ("run", "--target", "@pair", "--shell", f"touch {tmp_path}/x; echo canary sings")
    running = start(data_dir, *words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = _until(ours, b"run it on the other host?")
    assert b"canary one: done" in text and b"canary sings" in text
    os.write(ours, answer.encode() + b"\n")
    text += _until(ours, b"recorded as")
    assert running.wait(20) == status
    os.close(ours)
    assert (b"1 not-started" in text) is not_started


def _until(terminal: int, wanted: bytes) -> bytes:
    text = b""
    while wanted not in text:
        assert select.select([terminal], [], [], 20)[0], text
        text += os.read(terminal, 65536)
    return text
