"""Processes are started in one file, and commands are carried by one function."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOOR = "cockpit/process.py"
FORKED_BY = {"cockpit/stores/logs/files/twin.py": "fork"}
"""A copy of the process that reads logs runs no program."""
STREAMED_BY = {"cockpit/actions/local.py"}
REMOTE_SEAM = "cockpit/remote.py"
STARTED_ON_HOSTS_BY = {"cockpit/actions/ssh.py", REMOTE_SEAM}
STREAMS = {"stream", "Streaming", "on_terminal"}

FORBIDDEN_MODULES = {"subprocess", "pty", "popen2", "commands", "posix", "_posixsubprocess", "pexpect"}
FORBIDDEN_NAMES = {
    "create_subprocess_exec",
    "create_subprocess_shell",
    "subprocess_exec",
    "subprocess_shell",
    "open_process",
    "run_process",
    "Popen",
    "fork",
    "forkpty",
    "posix_spawn",
    "posix_spawnp",
    *(f"exec{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
    *(f"spawn{kind}" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
}
FORBIDDEN_OF_OS = {"system", "popen", "startfile"}


def sources() -> Iterator[Path]:
    for package in ("cockpit", "widgets", "sources"):
        yield from (ROOT / package).rglob("*.py")


@functools.cache
def tree(path: Path) -> ast.Module:
    """Parse a file once for all tests here."""
    return ast.parse(path.read_text())


@pytest.fixture(scope="module", autouse=True)
def forgetting() -> Iterator[None]:
    yield
    tree.cache_clear()


def starts(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and name of everything in a module that can start a process."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in FORBIDDEN_MODULES or alias.name == "asyncio.subprocess":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            names = {alias.name for alias in node.names}
            if origin.split(".")[0] in FORBIDDEN_MODULES or origin == "asyncio.subprocess":
                yield node.lineno, origin
            elif names & FORBIDDEN_NAMES or (origin == "os" and names & FORBIDDEN_OF_OS):
                yield node.lineno, f"{origin}.{sorted(names)}"
            elif origin == "asyncio" and "subprocess" in names:
                yield node.lineno, "asyncio.subprocess"
        elif isinstance(node, ast.Attribute):
            of_os = isinstance(node.value, ast.Name) and node.value.id == "os"
            if node.attr in FORBIDDEN_NAMES or (of_os and node.attr in FORBIDDEN_OF_OS):
                yield node.lineno, node.attr
        elif isinstance(node, ast.Name) and node.id in FORBIDDEN_NAMES:
            yield node.lineno, node.id


def test_only_one_file_starts_processes() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in sources()
        if path.relative_to(ROOT).as_posix() != DOOR
        for line, name in starts(tree(path))
        if FORKED_BY.get(path.relative_to(ROOT).as_posix()) != name
    ]
    assert found == []


def test_the_door_itself_is_found() -> None:
    assert {name for _, name in starts(ast.parse((ROOT / DOOR).read_text()))} >= {
        "asyncio.subprocess",
        "create_subprocess_exec",
        "subprocess_exec",
    }


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess",
        "import subprocess as s",
        "from subprocess import run",
        "import os\nos.system('x')",
        "from os import execvp",
        "import os\nos.execvp('x', ['x'])",
        "import asyncio\nasyncio.create_subprocess_exec('x')",
        "from asyncio import subprocess",
        "import pty",
        "loop.subprocess_shell(f, 'x')",
        "import os\nos.posix_spawn('x', [], {})",
    ],
)
def test_every_way_to_start_one_is_seen(code: str) -> None:
    assert list(starts(ast.parse(code)))


def test_commands_stream_through_the_local_transport_alone() -> None:
    users = set()
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "process.stream",
                "process.Streaming",
                "process.on_terminal",
            }:
                users.add(name)
            if isinstance(node, ast.ImportFrom) and node.module == "cockpit.process":
                users |= {name for alias in node.names if alias.name in STREAMS}
    assert users == STREAMED_BY


def test_only_the_executor_starts_through_a_transport() -> None:
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"start", "open"}
        and isinstance(node.func.value, ast.Name)
        and "transport" in node.func.value.id
    }
    assert callers == {"cockpit/actions/executor.py"}


SESSIONS = {"create_session", "create_process", "start_sftp_client", "create_subprocess"}


def callers(wanted: Callable[[ast.Attribute], bool]) -> set[str]:
    """Return the files that call a method."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and wanted(node.func)
    }


def test_programs_on_hosts_are_started_by_the_transport_and_by_one_seam_for_sources() -> None:
    starting = callers(lambda f: f.attr == "start" and "connections" in ast.unparse(f.value))
    assert starting == STARTED_ON_HOSTS_BY
    opening = callers(lambda f: f.attr in SESSIONS)
    assert {name for name in opening if not name.startswith("cockpit/ssh/")} == set()


def test_only_sources_start_through_that_seam() -> None:
    users = callers(lambda f: f.attr == "start" and "remote" in ast.unparse(f.value))
    assert all(name.startswith("sources/") for name in users)
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Name) and node.id == "Carrier"
    }
    assert makers == {"cockpit/wiring.py", "cockpit/checkup.py"}
