"""What was chosen on the screen is found again, and nothing that goes wrong with its file matters."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cockpit import choices
from cockpit.choices import Choices


def test_columns_come_back_for_the_same_logs_and_no_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = Choices(folder)
    assert first.columns(["a.log"]) is None
    first.choose_columns(["a.log", "b.log"], ("status", "user.id"))
    first.choose_columns([], ())
    first.keep()
    again = Choices(folder)
    assert again.columns([str(Path("a.log").absolute())]) == ("status", "user.id")
    assert again.columns(["b.log"]) is None
    assert again.columns([]) == ()
    assert stat.S_IMODE((folder / choices.NAME).stat().st_mode) == 0o600
    assert len(list(folder.iterdir())) == 1


def test_two_cockpits_keep_what_each_has_chosen(tmp_path: Path) -> None:
    one, other = Choices(tmp_path), Choices(tmp_path)
    one.choose_columns(["a"], ["x"])
    one.keep()
    other.choose_columns(["b"], ["y"])
    other.keep()
    assert (Choices(tmp_path).columns(["a"]), Choices(tmp_path).columns(["b"])) == (("x",), ("y",))


def test_only_the_last_ones_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MOST", 3)
    kept = Choices(tmp_path)
    for number in range(5):
        kept.choose_columns([f"/{number}"], ["x"])
    kept.choose_columns(["/2"], ["y"])
    kept.choose_columns(["/9"], ["z"])
    kept.keep()
    assert [Choices(tmp_path).columns([f"/{number}"]) for number in (3, 4, 2, 9)] == [
        None,
        ("x",),
        ("y",),
        ("z",),
    ]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b"[1]", b'{"columns": 5}', b"[" * 100_000])
def test_a_file_that_makes_no_sense_is_forgotten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / choices.NAME).write_bytes(content)
    kept = Choices(tmp_path)
    assert kept.columns([]) is None
    kept.choose_columns([], ["x"])
    kept.keep()
    assert Choices(tmp_path).columns([]) == ("x",)


def test_a_folder_that_can_not_be_written_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    kept = Choices(tmp_path / "file")
    kept.choose_columns([], ["x"])
    kept.keep()
    assert "can't be kept" in caplog.text
    assert kept.columns([]) == ("x",)
    Choices(None).keep()
