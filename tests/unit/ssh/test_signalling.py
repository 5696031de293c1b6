"""Where a server passes no signals on, a program's group is learned from a line that nobody else sees."""

from __future__ import annotations

import subprocess

import pytest

from cockpit.ssh.signalling import LONGEST, Saying, _passes, signal_argv


@pytest.mark.parametrize(
    ("version", "user", "passes"),
    [
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", "ann", True),
        ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", "root", False),
        ("OpenSSH_10.0", "ann", True),
        ("SSH-2.0-OpenSSH_7.4", "ann", False),
        ("SSH-2.0-OpenSSH_7.9", "ann", True),
        ("SSH-2.0-dropbear_2022.83", "root", True),
        ("SSH-2.0-Cisco-1.25", "root", True),
        ("", "root", True),
    ],
)
def test_who_passes_signals_on(version: str, user: str, passes: bool) -> None:
    assert _passes(version, user) is passes


@pytest.mark.parametrize("shell", ["sh", "bash", "fish", "zsh"])
@pytest.mark.parametrize("leads", [True, False])
def test_the_group_said_is_the_programs_own(shell: str, leads: bool) -> None:
    from shutil import which

    from cockpit.ssh.quoting import quoted

    if which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    saying = Saying()
    line = quoted(saying.argv(("sh", "-c", "ps -o pgid= -p $$; echo err >&2; exit 5")))
    ran = subprocess.run(
        [shell, "-c", line if leads else f"{line}; exit 5"], capture_output=True, start_new_session=True
    )
    assert ran.returncode == 5
    assert saying.rest(ran.stderr) == b"err\n"
    assert saying.group == int(ran.stdout)


def test_the_line_is_taken_out_however_it_comes() -> None:
    said = Saying()
    word = said.argv(())[-1].encode()
    whole = b"zsh: a complaint\n" + word + b" 123\nerr\n"
    for size in (1, 3, 7, 100):
        saying = Saying()
        saying._word, saying._pattern = said._word, said._pattern
        pieces = [saying.rest(whole[at : at + size]) for at in range(0, len(whole), size)]
        assert b"".join(pieces) + saying.end() == b"zsh: a complaint\nerr\n"
        assert saying.group == 123


def test_without_the_line_nothing_is_lost_and_no_group_known() -> None:
    saying = Saying()
    assert saying.rest(b"no line") == b"" and saying.end() == b"no line" and not saying.group
    flooded = Saying()
    assert flooded.rest(b"x" * LONGEST) == b"x" * LONGEST
    assert flooded.rest(b"more") == b"more"


def test_only_the_word_of_this_program_is_its_line() -> None:
    saying = Saying()
    saying.rest(b"0123456789abcdef 77\n")
    assert not saying.group


def test_a_group_is_signalled() -> None:
    program = subprocess.Popen(["sh", "-c", "sleep 60 & wait"], start_new_session=True)
    assert subprocess.run(signal_argv("TERM", program.pid)).returncode == 0
    assert program.wait(5) == -15
