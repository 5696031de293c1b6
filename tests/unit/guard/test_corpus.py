"""The labelled corpus: nothing that changes or destroys is ever taken for reading, and reading is let through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cockpit.guard.classify import Classified, classify_argv, classify_line

FOLDER = Path(__file__).with_name("corpus")
FILES = sorted(FOLDER.glob("*.jsonl"))


def entries(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


@cache
def judged(file: Path) -> list[tuple[dict[str, Any], Classified]]:
    return [
        (each, classify_argv(each["argv"]) if "argv" in each else classify_line(each["shell"]))
        for each in entries(file)
    ]


def test_the_corpus_is_large_and_half_of_it_means_to_deceive() -> None:
    every = [each for file in FILES for each in entries(file)]
    assert len(every) >= 1500
    assert sum(each["adversarial"] for each in every) >= 0.4 * len(every)
    assert len({json.dumps(each.get("argv", each.get("shell"))) for each in every}) == len(every)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_harmful_is_taken_for_reading(file: Path) -> None:
    wrong = [each for each, got in judged(file) if each["risk"] != "read" and got.risk == "read"]
    assert wrong == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_reading_is_let_through(file: Path) -> None:
    reads = [(each, got) for each, got in judged(file) if each["risk"] == "read"]
    refused = [(each, got) for each, got in reads if got.risk != "read"]
    assert len(refused) <= 0.03 * len(reads), [each.get("shell", each.get("argv")) for each, _ in refused]


def test_plain_destruction_is_known_for_what_it_is() -> None:
    plain = [
        got.risk.value
        for file in FILES
        for each, got in judged(file)
        if each["risk"] == "destructive" and not each["adversarial"]
    ]
    assert plain.count("destructive") >= 0.97 * len(plain)
