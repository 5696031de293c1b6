"""Random lines against real shells: a line that is judged to read leaves no trace when Bash and dash run it.

The lines are made of harmless words, quotes and operators, with `touch m` where it may or may not be run. They run in
an empty folder where nothing can be called but `touch` and `cat`.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from cockpit.guard.classify import classify_line

SHELLS = [path for name in ("bash", "dash") if (path := shutil.which(name))]
MARK = "touch m"
TEXT = [
    "echo '{}'",
    'echo "{}"',
    "echo a # {}",
    "echo $'{}'",
    "cat <<'E'\n{}\nE",
    "cat <<E\n{}\nE",
    "cat <<-E\n\t{}\n\tE",
    "x='{}'; echo \"$x\"",
    "echo ${{x:-{}}}",
    'echo "${{x:-{}}}"',
    "cat <<E; echo a\n{}\nE",
    "case '{}' in *) ;; esac",
    "[[ a == '{}' ]]",
    "[ a = '{}' ]",
    "for i in {}; do echo $i; done",
    "echo \\$\\({}\\)",
    "echo $(echo '{}')",
    "cat <<E | cat\n\\$({})\nE",
    ": '{}'",
    "set -- {}",
    "echo $(( 1 )) '{}'",
    "y=touch; echo $y m",
    "echo `echo '{}'`",
]
LIVE = [
    "{}",
    "$({})",
    "`{}`",
    "cat <({})",
    "x=$({})",
    "cat <<E\n$({})\nE",
    "${{x:-$({})}}",
    "[[ $({}) ]]",
    "x=touch; $x m",
    "f() {{ {}; }}; f",
    "eval '{}'",
    "for i in echo touch; do $i m; done",
    "echo a > m",
    "x='{}'; $x",
]
AROUND = [
    "{}; echo b",
    "echo b\n{}",
    "{{ {}\n}}",
    "( {}\n)",
    "if :; then\n{}\nfi",
    'echo "$( {}\n)"',
    "f() {{\n{}\n}}; f",
    "cat <<X\n$(\n{}\n)\nX",
    ": && {}",
    "cat <<Y\nb\nY\n{}",
    "# a\n{}",
    "! {}",
]
PIECES = [
    "'",
    '"',
    "\\",
    "`",
    "$(",
    ")",
    "(",
    "{",
    "}",
    "${",
    "${x:-",
    "#",
    " #",
    "<<E",
    "<<-",
    "<<<",
    "<",
    ">",
    "|",
    "&",
    ";",
    "\n",
    " ",
    "!",
    "[[",
    "]]",
    "[",
    "]",
    "=",
    "=~",
    "*",
    "?",
    "\\\n",
    "((",
    "))",
    "$((",
    "$'",
    "&&",
    "||",
    "\nE\n",
    "1",
    "$x",
    "$$",
    MARK,
    "echo ",
    "x=",
    "{a,b}",
    "\t",
    ";;",
    "&>",
    ">&",
]


def made(chance: random.Random) -> str:
    """Make a line: a marker in quotes or not, other constructs around it, and a few characters changed."""
    line = chance.choice(TEXT).format(MARK if chance.random() < 0.8 else chance.choice(LIVE).format(MARK))
    for _ in range(chance.choice([0, 0, 1, 2])):
        line = chance.choice(AROUND).format(line)
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        at = chance.randrange(len(line) + 1)
        line = line[:at] + chance.choice(["", *PIECES, *PIECES]) + line[at + chance.choice([0, 0, 1]) :]
    return line


def leaves_a_trace(shell: str, line: str, folder: Path, programs: Path) -> bool:
    for each in folder.iterdir():
        each.unlink()
    try:
        subprocess.run(
            [shell, "-c", line],
            cwd=folder,
            env={"PATH": str(programs), "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pass
    return any(folder.iterdir())


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    folder, programs = tmp_path / "empty", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name in ("touch", "cat"):
        (programs / name).symlink_to(shutil.which(name) or name)
    return folder, programs


@pytest.mark.parametrize("shell", SHELLS)
def test_a_trace_is_seen(shell: str, folders: tuple[Path, Path]) -> None:
    assert leaves_a_trace(shell, MARK, *folders)
    assert not leaves_a_trace(shell, f"echo '{MARK}'", *folders)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_judged_to_read_leaves_no_trace(seed: int, folders: tuple[Path, Path]) -> None:
    chance = random.Random(seed)
    lines = [made(chance) for _ in range(150)]
    reads = [line for line in lines if classify_line(line).risk == "read"]
    assert len(reads) > 20
    wrong = [line for line in reads if any(leaves_a_trace(shell, line, *folders) for shell in SHELLS)]
    assert wrong == []
