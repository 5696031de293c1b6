from __future__ import annotations

import argparse
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cockpit import __version__, cli
from cockpit.cli import main, parser
from cockpit.errors import ActionLogError, Refused, SourceError
from cockpit.verbs import VERBS


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCKPIT_CONFIG", raising=False)
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A verb of the test's own: `verb.does` is called with its arguments."""
    made = SimpleNamespace(does=lambda args: 0)

    def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        below = subparsers.add_parser("probe").add_subparsers()
        below.add_parser("deep")

    module = SimpleNamespace(add=add, main=lambda args: made.does(args))
    monkeypatch.setitem(sys.modules, "cockpit.verbs.probe", module)
    monkeypatch.setattr(cli, "VERBS", ("probe", "sources"))
    return made


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cockpit", *argv], capture_output=True, text=True, timeout=30
    )


def test_help_lists_every_verb_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = re.findall(r"^    (\w+)  ", capsys.readouterr().out, re.MULTILINE)
    assert tuple(listed) == VERBS


@pytest.mark.parametrize("verb_name", VERBS)
def test_every_verb_has_help_and_takes_the_shared_options(
    verb_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb_name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--config FILE" in shown
    assert "--data-dir DIR" in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cockpit {__version__}\n"


def test_shared_options_stand_before_or_after_the_verb(verb: SimpleNamespace) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def does(args: argparse.Namespace) -> int:
        seen.append((args.config, args.data_dir))
        return 0

    verb.does = does
    main(["probe"])
    main(["--config", "a", "--data-dir", "b", "probe"])
    main(["probe", "--config", "a", "--data-dir", "b"])
    main(["--config", "x", "--data-dir", "b", "probe", "deep", "--config", "a"])
    assert seen == [(None, None), ("a", "b"), ("a", "b"), ("a", "b")]


def test_options_of_the_screen_are_read() -> None:
    args = parser().parse_args(["--env", "production", "--read-only", "--incident", "I-1"])
    assert (args.env, args.read_only, args.incident, args.verb) == ("production", True, "I-1", None)


@pytest.mark.parametrize(
    "argv",
    [[], ["--env", "logs"], ["--config", "logs", "sources", "--json"], ["logs", "grep", "x", "a", "--config", "c"],
     ["--data-dir", "run", "logs", "sources"], ["run", "--target", "db", "--", "cockpit", "logs"], ["log", "list"],
     ["logs", "log"], ["ssh", "logs", "--", "cat", "--help"]],
)  # fmt: skip
def test_the_parser_of_one_verb_reads_what_that_of_all_does(argv: list[str]) -> None:
    args = argparse.Namespace()
    cli._read(argv, args)
    assert vars(args) == vars(parser().parse_args(argv))


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["docter"], 'there is no verb "docter" (did you mean doctor?)'),
        (["xyzzy"], f'there is no verb "xyzzy" (verbs are {", ".join(VERBS)})'),
        (["sources", "--jsno"], "unrecognized arguments: --jsno (did you mean --json?)"),
        (["--config"], "argument --config: expected one argument (see cockpit --help)"),
        (["doctor", "--timeout", "0"], "more than 0"),
        (["doctor", "--timeout", "soon"], "is no number of seconds"),
    ],
)
def test_a_wrong_command_line_names_the_nearest(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert err.startswith("cockpit: ")
    assert out == ""


@pytest.mark.parametrize(
    ("error", "status"), [(SourceError("a"), 1), (Refused("b"), 3), (ActionLogError("c", remedy="d"), 4)]
)
def test_our_errors_are_one_tidy_line_and_their_exit_status(
    verb: SimpleNamespace, error: Exception, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def does(args: argparse.Namespace) -> int:
        raise error

    verb.does = does
    assert main(["probe"]) == status
    assert capsys.readouterr().err == f"cockpit: {error}\n"


def test_control_sequences_never_reach_the_terminal(
    verb: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def does(args: argparse.Namespace) -> int:
        raise SourceError("the server says \x1b]0;pwned\x07")

    verb.does = does
    main(["probe"])
    assert capsys.readouterr().err == "cockpit: the server says ␛]0;pwned␇\n"


def test_mistakes_of_a_configuration_are_a_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text("a = 1\nb = 2\n")
    assert main(["doctor", "--config", "c.toml"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("cockpit: c.toml:1: a: is no key known here")
    assert second.startswith("cockpit: c.toml:2: b: is no key known here")


def test_what_nobody_foresaw_is_kept_in_the_log(
    verb: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def does(args: argparse.Namespace) -> int:
        raise ZeroDivisionError("by\nzero")

    verb.does = does
    assert main(["--data-dir", "elsewhere", "probe"]) == 1
    log = tmp_path / "elsewhere" / "cockpit.log"
    err = capsys.readouterr().err
    assert err == (
        "cockpit: this should not have happened: ZeroDivisionError: by; the traceback is in elsewhere/cockpit.log\n"
    )
    assert "Traceback (most recent call last)" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    main(["probe"])
    assert (tmp_path / "data" / "cockpit.log").exists()


def test_without_a_log_the_traceback_goes_to_stderr(
    verb: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def does(args: argparse.Namespace) -> int:
        raise ZeroDivisionError

    verb.does = does
    (tmp_path / "file").write_text("")
    assert main(["--data-dir", "file", "probe"]) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("cockpit: this should not have happened: ZeroDivisionError: \n")


def test_an_interrupt_is_quiet(verb: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    def does(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    verb.does = does
    assert main(["probe"]) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_left_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cockpit", "sources", "host"],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_help_is_at_hand_at_once() -> None:
    code = "import sys; from cockpit.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"msgspec", "asyncio", "importlib.metadata", "textual", "sqlite3", "httpx", "tomllib", "pathlib"}
    assert heavy.isdisjoint(done.stderr.split())


@pytest.mark.alone
def test_help_costs_less_than_a_tenth_of_a_second_over_bare_python() -> None:
    def fastest(*argv: str) -> float:
        took = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, *argv], stdout=subprocess.DEVNULL, check=True)
            took.append(time.perf_counter() - started)
        return min(took)

    assert fastest("-m", "cockpit", "--help") - fastest("-c", "pass") < 0.1


def test_python_m_cockpit_is_cockpit() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"cockpit {__version__}\n")


def test_the_screen_without_a_terminal_says_so() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cockpit: the screen needs a terminal (without one: cockpit snapshot)\n"


@pytest.mark.parametrize(
    "argv",
    [
        ["log", "list", "--limit", "x"],
        ["log", "list", "--limit", "0"],
        ["snapshot", "--logs", "-4"],
        ["snapshot", "--for", "nan"],
        ["sources", "host", "nope"],
        ["--data-dir", "~nobody-of-that-name/x", "run", "--", "true"],
        ["--config", "~nobody-of-that-name/x", "doctor"],
    ],
)
def test_wrong_values_are_wrong_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert " _" not in err


@pytest.mark.parametrize(
    "argv", ["sources host", "snapshot --for 0.2", "log list --json", "run --json -- true"]
)
def test_a_full_disk_and_closed_outputs_are_told_without_a_traceback(argv: str, tmp_path: Path) -> None:
    cockpit = f"{sys.executable} -m cockpit --data-dir {tmp_path}/data --config {tmp_path}/c.toml {argv}"
    (tmp_path / "c.toml").write_text("default_sources = false\n")
    full = subprocess.run(f"{cockpit} >/dev/full", shell=True, capture_output=True, text=True, timeout=30)
    assert full.returncode == 1
    assert full.stderr == "cockpit: the output can't be written: No space left on device\n"
    for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
        done = subprocess.run(f"{cockpit} {closed}", shell=True, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "data" / "cockpit.log").exists()
