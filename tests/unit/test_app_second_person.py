"""Breaking the glass on the real screen: a second person is asked, and answers with a real key from elsewhere."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

from textual.widgets import Button

from cockpit.actionlog.log import FILE
from cockpit.actionlog.reader import ActionReader
from cockpit.actionlog.records import Action
from cockpit.config.settings import GuardSettings, LogSettings, Settings
from cockpit.targets import Environment, TargetRule
from tests.helpers.cockpit_cli import cockpit
from tests.helpers.keys import allow, make_key, needs_ssh_keygen
from tests.helpers.screen import Screen, screen, shown
from tests.unit.test_app_consent import ask, fill
from widgets.waiting import WaitingDialog

pytestmark = needs_ssh_keygen


def settings(folder: Path) -> Settings:
    """Return settings for the screen, and write the same for the command line: production, with two signers."""
    ann, bob = make_key(folder, "ann"), make_key(folder, "bob")
    signers = allow(folder, ann=ann, bob=bob)
    (folder / "cockpit.toml").write_text(
        '[[targets]]\nname = "local"\nenvironment = "production"\n'
        f'[log]\nsigning_key = "{ann}"\nallowed_signers = "{signers}"\n'
    )
    return Settings(
        targets=(TargetRule(name="local", environment=Environment.PRODUCTION),),
        rules=(),
        guard=GuardSettings(elevation_minutes=10),
        log=LogSettings(signing_key=str(ann), allowed_signers=str(signers)),
    )


def newest(folder: Path, line: str) -> Action | None:
    """Return what is recorded of a shell line last."""
    reader = ActionReader(folder / "data" / FILE)
    found = next((action for action in reader.list(limit=50) if action.shell == line), None)
    reader.close()
    return found


async def waiting(on: Screen, line: str) -> str:
    """Ask for a line with the glass broken; return the request that a second person is asked to answer."""
    asked = await ask(on, line)
    assert asked.focused is not None and asked.focused.id == "consent-cancel"
    text = shown(on.app)
    assert "✖ destructive" in text and "Break glass" in text and "PRODUCTION · local" in text
    await fill(on, reason="INC-7", name="local")
    await on.until(lambda: isinstance(on.app.screen, WaitingDialog), "the dialog that waits")
    await on.until(lambda: "open for" in shown(on.app), "the countdown")
    reader = ActionReader(on.app.operations._data_dir / FILE)
    (request,) = [approval.id for approval in reader.approvals() if not approval.answers]
    reader.close()
    assert f"cockpit approve {request}" in shown(on.app)
    return request


async def approve(
    folder: Path, request: str, *more: str, key: str = "bob"
) -> subprocess.CompletedProcess[bytes]:
    words = ("approve", "--key", str(folder / key), "--yes", *more, request)
    return await asyncio.to_thread(cockpit, folder / "data", *words)


async def test_a_second_persons_signature_lets_it_run(tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.touch()
    line = f"rm {doomed}"
    async with screen(tmp_path, settings(tmp_path)) as on:
        request = await waiting(on, line)
        own = await approve(tmp_path, request, key="ann")
        assert own.returncode == 3 and b"nobody approves their own" in own.stderr
        assert isinstance(on.app.screen, WaitingDialog) and doomed.exists()
        answer = await approve(tmp_path, request)
        assert answer.returncode == 0, answer.stderr
        await on.until(lambda: not doomed.exists(), "the command")
        await on.until(lambda: not on.app.drawer.running, "its end")
        assert "exit 0" in shown(on.app)
    action = newest(tmp_path, line)
    assert action is not None
    assert (action.state, action.approvals, action.incident) == ("done", (request,), "INC-7")
    assert f"approved by bob@example.com ({request})" in action.reasons
    listed = json.loads(cockpit(tmp_path / "data", "log", "list", "--json").stdout)
    assert listed[0]["approvals"] == [request]


async def test_a_no_is_said_and_recorded(tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.touch()
    async with screen(tmp_path, settings(tmp_path)) as on:
        request = await waiting(on, f"rm {doomed}")
        answer = await approve(tmp_path, request, "--refuse", "--remark", "not tonight")
        assert answer.returncode == 0, answer.stderr
        await on.until(lambda: any("said no" in text for text in on.notices), "the notice")
        assert any("not tonight" in text for text in on.notices) and len(on.app.screen_stack) == 1
    action = newest(tmp_path, f"rm {doomed}")
    assert doomed.exists() and action is not None
    assert action.state in {"cancelled", "denied"} and request in (action.error or "") + " ".join(
        action.reasons
    )


async def test_giving_up_runs_nothing_and_is_recorded(tmp_path: Path) -> None:
    doomed = tmp_path / "doomed"
    doomed.touch()
    async with screen(tmp_path, settings(tmp_path)) as on:
        request = await waiting(on, f"rm {doomed}")
        on.app.screen.query_one("#waiting-give-up", Button).press()
        await on.until(lambda: newest(tmp_path, f"rm {doomed}"), "the record")
        assert len(on.app.screen_stack) == 1
        late = await approve(tmp_path, request)
        await on.pilot.pause(1.5)
        assert doomed.exists(), f"an answer that came too late ran it: {late.stderr!r}"
    action = newest(tmp_path, f"rm {doomed}")
    assert action is not None and action.state == "cancelled"
    assert f"not approved ({request}): given up" in (action.error or "") + " ".join(action.reasons)
