from __future__ import annotations

import sys
import time
import traceback
from pathlib import Path

import pytest

from cockpit import secrets
from cockpit.errors import ConfigError
from cockpit.secrets import resolve
from cockpit.source import Secret

WORD = "hunter2-correct-horse"


def printing(text: str, status: int = 0) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; sys.stdout.write({text!r}); sys.exit({status})")


async def test_the_three_places_and_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{WORD}\r\nsecond line\n")
    monkeypatch.setenv("LAB_SECRET", WORD)
    for secret in (
        Secret(env="LAB_SECRET"),
        Secret(file=str(file)),
        Secret(command=printing(f"{WORD}\nmore")),
        Secret(clear=WORD),
    ):
        assert await resolve(secret, "prom") == WORD
        assert WORD not in repr(secret)


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (Secret(), "exactly one place"),
        (Secret(env="A", file="b"), "exactly one place"),
        (Secret(env="NO_SUCH_VARIABLE_HERE"), "NO_SUCH_VARIABLE_HERE is not set"),
        (Secret(file="/no/such/file"), "can't be read"),
        (Secret(file="/"), "can't be read"),
        (Secret(command=("no-such-program-here",)), "failed"),
        (Secret(command=printing(WORD, 3)), "status 3"),
        (Secret(command=printing("")), "empty"),
        (Secret(command=printing("\n" + WORD)), "empty"),
    ],
)
async def test_what_can_not_be_had_says_why_and_shows_nothing(secret: Secret, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        await resolve(secret, "prom")
    shown = str(caught.value) + str(caught.value.__cause__)
    assert WORD not in shown and WORD not in "".join(traceback.format_exception_only(caught.value))


async def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_TIMEOUT", 0.3)
    started = time.monotonic()
    with pytest.raises(ConfigError, match="no answer within"):
        await resolve(Secret(command=(sys.executable, "-c", "import time; time.sleep(30)")), "prom")
    assert time.monotonic() - started < 5


async def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe\n")
    with pytest.raises(ConfigError, match="no UTF-8"):
        await resolve(Secret(file=str(file)), "prom")
