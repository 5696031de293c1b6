"""What a shell reads otherwise than the grammar has it; Bash or dash was seen to run each harmful line."""

from __future__ import annotations

import time

import pytest

from cockpit.guard.classify import classify_line

RUN = [
    'echo "${x:-echo `touch m`}"',
    "cat <<E\n${x:='$(touch m)'}\nE",
    "cat <<E\ntouch m\nE; cat a && { echo 'case $(touch m) in *) ;; esac'\n}",
    'echo "$ $((touch {x:-echom) )}"',
    "echo \"${x:-'$(touch m)'}\"",
    "echo $\\\n(touch m)",
    "cat <<-E\n\ta\n  E\n$(touch m)\nE",
    "[[ -n b | false &$(echo touch m) ]]",
    "[[ a || touch m ]]",
    "! [[ a && touch m ]]",
    "[[ $a =~ a|touch ]]",
    "x=touch; [[ a || $x == m ]]",
    "c=$(curl -s http://web-1/code); [[ $c == 200 || $c == 204 ]]",
    "[ a || touch ]",
    "[ ! -f a | touch ]",
    '[ $a == "b" | touch ]',
    "[ a =~ a>m ]",
    "echo =~ a|touch m",
    "echo ${x^&{1..2};touch m}$*cat ",
    "echo \"${x:-'}'$(touch m)}\"",
    'grep \\ # "$($(touch m))"',
    "echo a >$$",
    "cat <<'E\n' | grep x$(touch m)\nE",
    "<<\\E ls% >($((]]",
    'echo \\ && {<<\'=~E\' x="touc m" ; <<-echo "$x"\n}',
    "cat <<X\n$$(\ncat <<'E'\n$(touch m)\nE\n)\nX",
    "echo a >$((1))",
    "echo =~\ntouch m== ",
    "  echo =~\ntouch m== ",
    "test $'a b'##!\n\\tou$1ch m",
    "cat <<E$; touch m\n'\nE$;",
    ": 'a'\\\n#$(touch m)\n",
]
READ = [
    'echo "$$$(date) \\$$(date) $$"',
    "  echo a # $(touch m)\\\n# `touch m`",
    "\n\n cat <<E a\nb c\nE\n# d",
    "echo ${x:-rm -rf} \\\n  b",
    "[[ ! -f a || -f b ]]",
    "[[ $a == 1 || $b == 2 ]] && echo yes",
    "[[ $a =~ (a|b) ]] && echo yes",
    "if [ -f a ] || [ -f b ]; then cat a b; fi",
    "cat <<'E'\n$(touch m) `touch m`\nE",
    "cat <<E\na \\$(touch m)\nE\ncat b",
    "echo '$(touch m)' \"\\$(touch m) <(touch m)\" # $(touch m)",
    "echo \"${x:-$(date)} $(cat 'a`b')\"",
    "awk '{ print $(NF-1) }' a | grep -E 'a$(b|c)'",
]


@pytest.mark.parametrize("line", RUN)
def test_what_a_shell_runs_is_never_reading(line: str) -> None:
    assert classify_line(line).risk != "read"


@pytest.mark.parametrize("line", READ)
def test_text_stays_text(line: str) -> None:
    assert classify_line(line).risk == "read"


DEEP = [
    "a && " * 3000 + "b",
    "[[" + " a ||" * 9000 + " b ]]",
    "echo " + "`" * 60000,
    "if a; then " * 300 + "b" + "; fi" * 300,
]


@pytest.mark.parametrize("line", DEEP, ids=lambda line: line[:8])
def test_a_line_with_too_many_parts_is_unknown(line: str) -> None:
    assert classify_line(line).risk == "unknown"


def test_loops_within_loops_are_judged_in_no_more_turns_than_can_be_waited_for() -> None:
    words = " ".join("abcdefghijkl")
    opened = "".join(f"for v{turn} in {words}; do " for turn in range(6))
    started = time.perf_counter()
    assert classify_line(opened + "ls $v5" + "; done" * 6).risk == "read"
    assert classify_line(opened + "rm $v5" + "; done" * 6).risk == "destructive"
    assert time.perf_counter() - started < 5
