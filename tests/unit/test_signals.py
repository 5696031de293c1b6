from __future__ import annotations

import pytest

from cockpit.signals import Matcher, level_name, severity_rank


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, ""), (1, "trace"), (4, "trace"), (9, "info"), (17, "error"), (24, "fatal"), (99, "fatal")],
)
def test_level_names_follow_severity_number(number: int, name: str) -> None:
    assert level_name(number) == name


def test_a_severity_nobody_knows_ranks_as_a_warning() -> None:
    assert severity_rank("spicy") == severity_rank("warning") > severity_rank("info")


def test_a_matcher_prints_as_alertmanager_takes_it() -> None:
    assert str(Matcher("job", 'a"b\\', is_regex=True, is_equal=False)) == 'job!~"a\\"b\\\\"'
