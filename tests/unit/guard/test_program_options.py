"""Options and operands are told apart as the program itself would."""

from __future__ import annotations

from cockpit.actions.command import Risk
from cockpit.guard.embedded import language
from cockpit.guard.options import Form, Split, split
from cockpit.guard.program import Programs
from cockpit.guard.ruleset import OperandEffect, Rule, Ruleset
from cockpit.guard.shell import ShellJudge
from cockpit.guard.words import literal

GLUED = Form(takes=frozenset({"-n", "--name"}), glued=frozenset({"-i", "--in-place"}))


def parts(*words: str) -> Split:
    return split([literal(word) for word in words], GLUED)


def given(result: Split) -> list[tuple[str, str | None]]:
    return [(option.names[0], option.value.text if option.value else None) for option in result.options]


def test_a_glued_value_is_the_rest_of_its_own_word() -> None:
    assert given(parts("-in", "x")) == [("-i", "n")]
    assert given(parts("-i", "x")) == [("-i", None)]
    assert given(parts("-ai", "-n", "x")) == [("-a", None), ("-i", None), ("-n", "x")]
    assert [word.text for word in parts("-i", "x").operands] == ["x"]


def test_a_long_glued_value_stands_behind_its_sign_alone() -> None:
    assert given(parts("--in-place", "x")) == [("--in-place", None)]
    assert given(parts("--in-pl=x", "y")) == [("--in-place", "x")]


def test_a_pattern_may_be_as_many_operands_as_an_effect_needs() -> None:
    rule = Rule(names=("p",), risk=Risk.READ, operands=(OperandEffect(risk=Risk.CHANGE, at=1),))
    judge = ShellJudge(Programs(Ruleset([rule]), language))
    assert {each.risk for each in judge.line("p a")} == {"read"}
    assert "change" in {each.risk for each in judge.line("p a b")}
    assert "unknown" in {each.risk for each in judge.line("p *.txt")}


def test_an_option_with_an_effect_counts_where_a_value_is_expected_too() -> None:
    rule = Rule(names=("p",), risk=Risk.READ, takes=("-t",), options={"-o": Risk.CHANGE})
    judge = ShellJudge(Programs(Ruleset([rule]), language))
    assert "change" in {each.risk for each in judge.line("p -t -o x")}
    assert {each.risk for each in judge.line("p -t -x x")} == {"read"}
    assert {each.risk for each in judge.line("p -t '-o minutes'")} == {"read"}
