"""Templates of Loghub's labelled samples (Zhu et al., "Loghub", ISSRE 2023), scored as its papers do."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence

import pytest

from cockpit.formats.columns import UNDATED
from cockpit.stores.logs.templates import patterns_of
from tests.helpers.shared_data import shared_data

FLOORS = {
    "Android": (0.95, 0.95),
    "Apache": (1.0, 1.0),
    "BGL": (0.98, 0.95),
    "HDFS": (1.0, 1.0),
    "Hadoop": (0.96, 0.93),
    "Linux": (0.97, 0.93),
    "OpenSSH": (0.99, 0.97),
    "Zookeeper": (0.98, 0.90),
}
"""Group accuracy and F1, a little below what is reached: one setting for all of them."""


def grouping(truth: Sequence[str], found: Sequence[int]) -> tuple[float, float]:
    """Return group accuracy over lines and F1 over groups (Zhu et al. 2019; Jiang et al. 2024)."""
    told, mine = defaultdict(set), defaultdict(set)
    for number, (event, group) in enumerate(zip(truth, found, strict=True)):
        told[event].add(number)
        mine[group].add(number)
    right = {frozenset(lines) for lines in told.values()} & {frozenset(lines) for lines in mine.values()}
    return sum(map(len, right)) / len(truth), 2 * len(right) / (len(told) + len(mine))


@pytest.mark.parametrize("system", FLOORS)
def test_the_lines_of_a_labelled_sample_are_grouped(system: str) -> None:
    with (shared_data("loghub-2k") / system / f"{system}_2k.log_structured.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = patterns_of((number, UNDATED, row["Content"]) for number, row in enumerate(rows))
    groups = [-1] * len(rows)
    for group, each in enumerate(found):
        for line in each["lines"]:
            groups[line] = group
    accuracy, f1 = grouping([row["EventId"] for row in rows], groups)
    least_accuracy, least_f1 = FLOORS[system]
    assert accuracy >= least_accuracy
    assert f1 >= least_f1
