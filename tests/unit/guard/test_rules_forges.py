"""gh and glab: methods, fields and GraphQL."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "gh pr list", "gh pr view 1", "gh run list", "gh api repos/x/y", "gh api -X GET repos/x/y -f a=b",
    "gh auth status", "gh repo view", "glab mr list", "glab ci status", "gh run view 1 --log",
    "gh workflow list", "gh release list", "gh pr checks", "gh search issues x", "glab ci view",
    "gh pr status", "gh pr diff 1", "gh repo list x", "gh run watch 1", "gh secret list", "gh cache list",
    "gh label list", "gh gist view x", "gh release view x", "gh api rate_limit",
    "gh api /repos/x/y --jq .z", "glab pipeline list", "glab mr diff 1",
]  # fmt: skip
CHANGES = [
    "gh pr view 1 -w", "gh pr create", "gh api repos/x/y -f a=b", "gh run rerun 1", "glab mr merge 1",
    "gh api x -F a=@b", "gh api x --input y", "gh pr checkout 1",
]  # fmt: skip
DESTROYS = [
    "gh api --method delete repos/x/y", "gh repo delete x", "gh api -X=DELETE x",
    "gh api x --method=DELETE",
]  # fmt: skip
UNKNOWN = [
    "gh foo", "gh api graphql -F query=@x", "gh api x -X \"$y\"", "gh ext exec x",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_forges_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
