"""Interactive shells: what is typed in them becomes actions, and what destroys is held at Enter."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from cockpit.actionlog.filters import Filter
from cockpit.actionlog.records import State
from cockpit.shells import holding
from cockpit.targets import Environment
from cockpit.term.size import Size
from tests.helpers.exports import exported
from tests.helpers.shells import found, typing_at
from tests.live.servers import program

SHELLS = ["bash", "zsh", "fish"]
PRODUCTION = Environment.PRODUCTION


@pytest.mark.parametrize("shell", SHELLS)
async def test_lines_become_actions(shell: str, tmp_path: Path) -> None:
    (tmp_path / "home" / "sub").mkdir(parents=True)
    async with typing_at(shell, tmp_path) as typist:
        await typist.prompt()
        await typist.run("echo o''ne")
        await typist.run("cd sub")
        await typist.run(" false")
        typist.type("exit\r")
        await typist.ended()
        items = await typist.settled(4)
        assert [(each.shell, each.state, each.exit_status) for each in items[:3]] == [
            ("echo o''ne", "done", 0),
            ("cd sub", "done", 0),
            (" false", "failed", 1),
        ]
        assert items[3].shell == "exit" and items[3].ended_at is not None
        assert [Path(each.cwd).name for each in items] == ["home", "home", "sub", "sub"]
        assert {each.kind for each in items} == {"command"} and {each.origin for each in items} == {
            "operator"
        }
        assert b"one" in typist.screen and b"\x1b]133" not in typist.screen + typist.recorded()
        places = typist.log.reading().recording(typist.session.action)
        assert [each.what for each in places] == ["terminal", *["command"] * 4]
        assert [each.command for each in places[1:]] == [each.id for each in items]
        recorded = typist.recorded()
        assert recorded[: places[1].at_byte].endswith(b"echo o''ne\r\n")
        assert recorded[places[1].at_byte : places[2].at_byte].count(b"one\r\n") == 1
        action = await typist.log.show(typist.session.action)
        assert (action.kind, action.state, action.risk) == ("shell", "done", "unknown")
        assert typist.session.recorded


@pytest.mark.parametrize("shell", SHELLS)
async def test_what_destroys_is_held_at_enter(shell: str, tmp_path: Path) -> None:
    keep = tmp_path / "home" / "keep"
    keep.mkdir(parents=True)
    async with typing_at(shell, tmp_path, environment=PRODUCTION) as typist:
        session = typist.session
        await typist.prompt()
        await typist.run("echo o''ne")
        typist.type("rm -rf keep\r")
        await typist.until(lambda: session.held, "the line being held")
        assert session.held is not None and session.held.line == "rm -rf keep"
        assert session.held.assessment.risk == "destructive" and session.held.assessment.reasons
        session.answer(False)
        await typist.until(lambda: session.held is None)
        typist.type("\x15")
        await typist.run("echo t''wo")
        assert keep.exists()
        typist.type("rm -rf keep\r")
        await typist.until(lambda: session.held, "the line being held again")
        session.answer(True)
        await typist.until(lambda: not keep.exists(), "keep being gone")
        items = await typist.settled(4)
        assert [(each.shell, each.state) for each in items] == [
            ("echo o''ne", "done"),
            ("rm -rf keep", "cancelled"),
            ("echo t''wo", "done"),
            ("rm -rf keep", "done"),
        ]
        assert items[1].error == "refused at Enter"
        assert "confirmed at Enter" in items[3].reasons
        assert session.unheld == ""


@pytest.mark.parametrize("shell", SHELLS)
async def test_lines_pasted_at_once_are_asked_about_one_by_one(shell: str, tmp_path: Path) -> None:
    keep = tmp_path / "home" / "keep"
    keep.mkdir(parents=True)
    async with typing_at(shell, tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        typist.type("echo 1\recho 2\rrm -r keep\recho 3\r")
        await typist.until(lambda: typist.session.held, "the third being held")
        assert typist.session.held is not None and typist.session.held.line == "rm -r keep"
        typist.session.write(b"\x03")
        await typist.settled(3)
        assert keep.exists()
        assert [each.shell for each in await typist.items()][:3] == ["echo 1", "echo 2", "rm -r keep"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
async def test_lines_that_go_on_and_history_are_judged_as_a_whole(shell: str, tmp_path: Path) -> None:
    keep = tmp_path / "home" / "keep"
    keep.mkdir(parents=True)
    async with typing_at(shell, tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        typist.type("rm \\\r")
        await asyncio.sleep(0.3)
        typist.type("-rf keep\r")
        await typist.until(lambda: typist.session.held, "the whole line being held")
        assert typist.session.held is not None
        assert typist.session.held.line == "rm \\\n-rf keep"
        typist.session.answer(True)
        await typist.until(lambda: not keep.exists())
        await typist.settled(1)
        keep.mkdir()
        await typist.prompt()
        typist.type("!!\r")
        await typist.until(lambda: typist.session.held, "what history stands for being held")
        assert "-rf keep" in typist.session.held.line
        typist.session.answer(False)


async def test_a_line_that_nobody_answers_for_does_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "HELD_S", 0.1)
    (tmp_path / "home" / "keep").mkdir(parents=True)
    async with typing_at("bash", tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        typist.type("rm -rf keep\r")
        [item] = await typist.settled(1)
        assert (item.state, "not answered" in item.error) == ("cancelled", True)
        assert (tmp_path / "home" / "keep").exists()


async def test_what_came_past_enter_is_marked(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "keep").mkdir(parents=True)
    (home / ".bashrc").write_text('bind -x \'"\\C-g": "true"\'\n')
    async with typing_at("bash", tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        await typist.run("bind '\"\\C-g\": accept-line'")
        typist.type("rm -rf keep\x07")
        items = await typist.settled(2)
        assert not (home / "keep").exists()
        assert items[1].risk == "destructive" and any("past Enter" in each for each in items[1].reasons)
        await typist.until(lambda: typist.session.unheld)


@pytest.mark.parametrize(
    ("shell", "file", "text", "history"),
    [
        ("bash", ".bashrc", "PS1='mine> '; HISTFILE=~/.hist; alias greet='echo hel''lo'", ".hist"),
        (
            "zsh",
            ".zshrc",
            "PS1='mine> '; HISTFILE=~/.hist; SAVEHIST=10; HISTSIZE=10; alias greet='echo hel''lo'\ntypeset -A own",
            ".hist",
        ),
        (
            "fish",
            ".config/fish/config.fish",
            "function fish_prompt; echo -n 'mine> '; end; alias greet='echo hel''lo'",
            "data/fish/fish_history",
        ),
    ],
)
async def test_the_users_own_files_hold(
    shell: str, file: str, text: str, history: str, tmp_path: Path
) -> None:
    path = tmp_path / "home" / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{text}\n")
    before = {each.relative_to(tmp_path) for each in (tmp_path / "home").rglob("*")}
    async with typing_at(shell, tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        await typist.run("greet")
        if shell == "zsh":
            await typist.run("echo ${(t)own} $options[promptsubst] $options[rcs]")
            await typist.shows("association off on")
        typist.type("exit\r")
        await typist.ended()
        assert b"mine> " in typist.screen and b"hello" in typist.screen
        kept = (tmp_path / "home" / history).read_text()
        assert "greet" in kept and "cockpit" not in kept
    after = {each.relative_to(tmp_path) for each in (tmp_path / "home").rglob("*")}
    assert not [each for each in after - before if "cockpit" in str(each)]


@pytest.mark.parametrize(
    ("shell", "file", "text"),
    [
        ("bash", ".bashrc", "set -u; HISTCONTROL=ignoreboth; PROMPT_COMMAND='true;'; set -o vi"),
        ("zsh", ".zshrc", "setopt nounset ksh_arrays sh_word_split; unsetopt banghist; bindkey -v"),
    ],
)
async def test_a_shell_that_is_set_up_oddly_is_itemised_and_held(
    shell: str, file: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / "home" / "keep").mkdir(parents=True)
    (tmp_path / "home" / file).write_text(f"{text}\n")
    async with typing_at(shell, tmp_path, environment=PRODUCTION) as typist:
        await typist.prompt()
        await typist.run(" echo o''ne")
        typist.type(" rm -rf keep\r")
        await typist.until(lambda: typist.session.held, "the line being held")
        typist.session.answer(True)
        items = await typist.settled(2)
        assert [each.shell for each in items] == [" echo o''ne", " rm -rf keep"]
        assert b"unbound" not in typist.screen and b"not set" not in typist.screen


@pytest.mark.parametrize("argv", [["dash"], ["busybox", "ash"]])
async def test_other_shells_are_recorded_and_say_that_they_are_not_itemised(
    argv: list[str], tmp_path: Path
) -> None:
    place = found(argv[0])
    if len(argv) > 1:
        place = str(tmp_path / "ash")
        Path(place).symlink_to(found(argv[0]))
    async with typing_at(place, tmp_path) as typist:
        await typist.until(lambda: typist.session.why_not not in ("", "starting"))
        assert not typist.session.itemised and "can't be asked" in typist.session.why_not
        typist.type("echo o''ne\r")
        await typist.shows("one\r\n")
        typist.type("exit 3\r")
        await typist.ended()
        assert b"one\r\n" in typist.recorded() and await typist.items() == []
        assert (await typist.log.show(typist.session.action)).state is State.DONE


async def test_a_shell_within_is_not_itemised_and_says_so(tmp_path: Path) -> None:
    async with typing_at("bash", tmp_path) as typist:
        await typist.prompt()
        typist.type("dash\r")
        await typist.until(lambda: typist.session.why_not == "inside dash")
        typist.type("echo o''ne; exit\r")
        await typist.until(lambda: typist.session.itemised, "being back")
        assert [each.shell for each in await typist.settled(1)] == ["dash"]


async def test_output_forges_no_command(tmp_path: Path) -> None:
    async with typing_at("bash", tmp_path) as typist:
        await typist.prompt()
        await typist.run(r"printf '\e]633;E;rm -rf /;guess\a\e]133;C;guess\a\e]133;D;0\a'")
        assert len(await typist.items()) == 1
        await typist.run("true")
        assert len(await typist.items()) == 2


async def test_the_recording_is_found_and_plays(tmp_path: Path) -> None:
    async with typing_at("bash", tmp_path) as typist:
        await typist.prompt()
        typist.session.resize(Size(90, 20))
        await typist.run("echo need''le; stty size")
        await typist.shows("20 90")
        typist.type("exit\r")
        await typist.ended()
        hits = typist.log.reading().search(Filter(text="needle"))
        assert typist.session.action in {each.id for each in hits}
        await typist.settled(2)
    log, cast = tmp_path / "data" / "actions.db", tmp_path / "x.cast"
    cast.write_bytes(await asyncio.to_thread(exported, log, cast, "cast"))
    head, *events = [json.loads(line) for line in cast.read_text().splitlines()]
    assert (head["width"], head["height"]) == (100, 30)
    assert [event[2] for event in events if event[1] == "r"] == ["90x20"]
    assert [event[2] for event in events if event[1] == "m"][1:] == ["echo need''le; stty size", "exit"]
    drawn = "".join(event[2] for event in events if event[1] == "o")
    assert drawn.count("echo need''le; stty size") == 1 and "needle\r\n20 90\r\n" in drawn
    command = f"{program('asciinema', 'asciinema')} cat {cast}"  # it wants a terminal
    script = [program("script", "bsdutils"), "-qec", command, "/dev/null"]
    played = await asyncio.to_thread(subprocess.run, script, capture_output=True, timeout=30)
    assert played.returncode == 0 and b"needle" in played.stdout


@pytest.mark.parametrize("shell", ["bash", "dash"])
async def test_a_closed_terminal_ends_the_shell_and_what_runs_in_it(shell: str, tmp_path: Path) -> None:
    async with typing_at(shell, tmp_path) as typist:
        await typist.until(lambda: typist.screen)
        typist.type("echo $$ > pid; sleep 300\r")
        pid = tmp_path / "home" / "pid"
        await typist.until(lambda: pid.exists() and pid.read_text())
        typist.session.close()
        await typist.ended()
        await typist.until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists(), "the shell's end")
        assert (await typist.log.show(typist.session.action)).state is State.CANCELLED
        assert all(each.state == "cancelled" for each in await typist.items())
