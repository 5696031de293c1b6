"""What is quoted comes out as it went in, whichever shell reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.ssh.quoting import quoted

SHELLS = {
    "sh": ("sh", "-c"),
    "dash": ("dash", "-c"),
    "bash": ("bash", "-c"),
    "bash, posix": ("bash", "--posix", "-c"),
    "zsh": ("zsh", "-c"),
    "fish": ("fish", "-c"),
    "BusyBox ash": ("busybox", "sh", "-c"),
    "tcsh": ("tcsh", "-c"),
    "mksh": ("mksh", "-c"),
    "ksh": ("ksh", "-c"),
    "yash": ("yash", "-c"),
}
PRINT = "/usr/bin/printf"
"""Writes its arguments with a NUL after each; a path, so that no shell takes its own."""

AWKWARD = st.sampled_from(list("'\"\\!$`*?[]{}()<>|&;#~=%^@ \t\n\r-+,.:/x0é\x7f\x1b\x01\udcff"))
WORDS = st.text(AWKWARD | st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
ARGUMENTS = st.lists(WORDS, max_size=5)


def shells() -> Iterator[object]:
    for name, argv in SHELLS.items():
        missing = shutil.which(argv[0]) is None
        yield pytest.param(
            argv, id=name, marks=pytest.mark.skipif(missing, reason=f"there is no {argv[0]} here")
        )


def read_by(shell: Sequence[str], line: str) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [*map(os.fsencode, shell), os.fsencode(line)], capture_output=True, env=environment, timeout=20
    )


def words_from(output: bytes) -> list[str]:
    return [os.fsdecode(word) for word in output.split(b"\0")[:-1]]


@pytest.mark.parametrize("shell", shells())
@settings(max_examples=40, deadline=None)
@given(cases=st.lists(ARGUMENTS, min_size=1, max_size=8))
def test_every_shell_splits_a_line_into_exactly_what_was_quoted(
    shell: Sequence[str], cases: list[list[str]]
) -> None:
    lines = [quoted((PRINT, "%s\\0", "begin", *case)) for case in cases]
    answer = read_by(shell, ";".join(lines))
    wanted = [word for case in cases for word in ("begin", *case)]
    assert words_from(answer.stdout) == wanted, answer.stderr


HARD = [
    ("",),
    ("", "", ""),
    ("'",),
    ("\\",),
    ("\\\\'\\",),
    ("!", "!!", "!$", "a!b"),
    ("$HOME", "${PATH}", "$(id)", "`id`"),
    ("~", "~root", "=ls", "%1", "^a^b"),
    ("*", "?", "[a-z]", "{a,b}", "/*"),
    ("a\nb", "\n", "trailing\n", "\\n", "\n\\", "'\n'"),
    ("-n", "--", "-e", "\\c"),
    ("a;b", "a&b", "a|b", "a>b", "a<b", "#c"),
    ("é", "日本", "\udcff\udcfe", "\x01\x1b[31m\x7f"),
    ("x" * 4000,),
]


@pytest.mark.parametrize("shell", shells())
def test_what_shells_are_known_to_trip_over_is_read_as_it_is(shell: Sequence[str]) -> None:
    for case in HARD:
        answer = read_by(shell, quoted((PRINT, "%s\\0", *case)))
        assert words_from(answer.stdout) == list(case), (case, answer.stderr)


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("word", ["if", "begin", "function", "!", "{", "A=b", "foreach", "exec"])
def test_a_program_may_be_named_like_a_word_of_the_shells_own(
    shell: Sequence[str], word: str, tmp_path: os.PathLike[str]
) -> None:
    program = os.path.join(tmp_path, word)
    os.symlink("/bin/echo", program)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": "/nonexistent"}
    answer = subprocess.run([*shell, quoted((word, "ran"))], capture_output=True, env=environment, timeout=20)
    assert answer.stdout == b"ran\n", answer.stderr


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize("argv", [("sh", "-c", "exit 7"), ("sh", "-c", "exit 7\n")])
def test_the_exit_status_is_the_programs_own(shell: Sequence[str], argv: Sequence[str]) -> None:
    assert read_by(shell, quoted(argv)).returncode == 7


@pytest.mark.parametrize(("word", "said"), [("a\0b", "NUL"), ("a\ud83d", "half a character")])
def test_what_no_argument_can_be_is_refused(word: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        quoted(("printf", word))
