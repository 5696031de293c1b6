"""git: options before and behind a subcommand, lines that settings run, addresses, operands that decide."""

from __future__ import annotations

import pytest

from cockpit.guard.classify import classify_line
from tests.helpers.risks import labelled

READS = [
    "git -C /srv/x log --oneline", "git show -c HEAD", "git diff -C HEAD~1", "git log -p -c", "git branch",
    "git branch -vv", "git branch --show-current", "git tag", "git tag -n", "git stash list",
    "git stash show -p", "git remote", "git remote show origin", "git config --list",
    "git config get user.name", "git config --global --get user.name", "git config -f x user.name",
    "git push --dry-run", "git push -n origin +main", "git fetch --dry-run", "git clean -n",
    "git rebase --help", "git -c color.ui=always log", "git -c core.pager=cat log",
    "git --git-dir=/x/.git --work-tree=/x status", "git --no-pager -P log", "git -P diff",
    "git ls-remote origin", "git diff --output-indicator-new=x", "git grep -n foo", "git reflog",
    "git reflog main", "git reflog show --date=iso", "git bisect log", "git submodule",
    "git submodule status", "git worktree list", "git lfs ls-files", "git archive HEAD", "git fsck",
    "git gc --help", "git help log", "GIT_PAGER=cat git log", "git log $REV", "git show \"$h\"",
    "git rev-list --all", "git cat-file -p HEAD", "git for-each-ref", "git symbolic-ref HEAD",
    "git show-ref", "git whatchanged", "git apply --check x", "git format-patch -1 --stdout", "git notes",
    "git notes show", "git sparse-checkout list", "git blame -L1,2 x", "git log -1 --format=%H",
    "git log --follow -p x", "git commit --dry-run", "git add -n x", "git add --dry x", "git rev-list HEAD",
    "git shortlog -sn", "git branch --contains $sha", "git log --stat -p --since=yesterday --author=x",
    "git log --oneline main..feature", "git log --pretty=format:'%h' -n 5 --abbrev-commit",
    "git log --graph --all --decorate=short", "git diff --cached", "git diff --name-status HEAD~3..HEAD",
    "git diff -w --ignore-blank-lines", "git show --stat --format=fuller HEAD", "git show --name-only",
    "git branch -r --merged origin/main", "git branch --format='%(refname)' --sort=-committerdate",
    "git tag --list --sort=-creatordate", "git tag --points-at HEAD", "git tag -v v1",
    "git status -sb --porcelain=v2", "git stash show stash@{0}",
    "git config --show-origin --get-regexp 'remote.*'", "git config --get-urlmatch http x",
    "git remote show", "git ls-files --others --exclude-standard", "git ls-tree -r HEAD --name-only",
    "git rev-parse --show-toplevel", "git rev-parse HEAD", "git cat-file -t HEAD", "git count-objects -vH",
    "git fsck --full --no-dangling", "git verify-commit HEAD", "git name-rev HEAD",
    "git merge-base main HEAD", "git check-attr -a x", "git grep -l x HEAD -- '*.py'", "git bisect terms",
    "git lfs status", "git lfs env", "git submodule summary", "git notes list", "git var -l",
    "git difftool --tool-help", "git show-branch --all", "git help -a", "git --version",
    "git version --build-options",
]  # fmt: skip
CHANGES = [
    "git branch new", "git branch -c a b", "git branch -m a b", "git branch --track x origin/x",
    "git branch -d x", "git tag v1", "git tag -n v1 -m x", "git stash", "git stash -m list", "git stash -u",
    "git stash show -p --output=x", "git remote add x y", "git config set user.name x",
    "git config user.name x", "git config --unset user.name", "git reset HEAD x", "git checkout main",
    "git checkout -b x origin/main", "git switch main", "git restore --staged x", "git push",
    "git push origin main:main", "git fetch", "git pull", "git rebase main", "git log --output=x",
    "git log --outp x", "git diff --output x", "git diff --stat --output=x", "git bisect start",
    "git archive -o x HEAD", "git gc", "git symbolic-ref HEAD refs/heads/x", "git apply x",
    "git apply --stat --apply x", "git format-patch -1", "git format-patch -1 --stdout --output=x",
    "git notes add -m x", "git commit --amend", "git blame --output=x f", "git reflog --output=x",
    "git reflog show --output=x", "git stash list --output=x", "git rev-list --output=x HEAD",
    "git archive --outp=x HEAD", "git -C x -c color.ui=false branch y", "git branch --no-list y",
    "git branch -f x y", "git branch --set-upstream-to=x", "git tag --no-list v1", "git tag -a v1",
    "git remote -v add x y", "git config --add x y", "git config --file x a.b c", "git config a.b \"$x\"",
    "git notes --ref x add", "git submodule update", "git hash-object -w x", "git hash-object -tw -w x",
    "git symbolic-ref -d x",
]  # fmt: skip
DESTROYS = [
    "git branch -Dr origin/x", "git branch -d -f x", "git tag -d v1", "git stash drop", "git reset --hard",
    "git reset --h", "git checkout main -- x", "git checkout .", "git checkout -f",
    "git checkout origin/main file", "git switch -f main", "git restore x", "git restore -SW x",
    "git push -f", "git push origin +main", "git push origin :main", "git push --force-with-lease",
    "git push -n --no-dry-run -f", "git push -n --no-dry -f", "git push origin --delete x",
    "git push --prune origin", "git clean -f", "git clean -e -n -f", "git rebase -x 'rm -rf x' main",
    "git reflog expire --all", "git bisect run rm x", "git submodule foreach 'rm x'",
    "git submodule deinit x", "git worktree remove x", "git update-ref -d x", "git filter-repo --path x",
    "git -C x push -f", "git -C log push --force", "git --git-dir x reset --hard",
    "git --foo log reset --hard", "git push origin +HEAD:x", "git push --forc", "git push origin --dele x",
    "git push -o x -f", "git push --repo x --delete y", "git -c 'alias.x=!rm y' x", "git stash clear",
]  # fmt: skip
UNKNOWN = [
    "git foo", "git -c alias.foo=log foo", "git -c core.pager=./x log", "git -c include.path=x log",
    "git --config-env=a=b log", "git --exec-path=/x log", "git ls-remote ext::sh",
    "git ls-remote --upl=x origin", "git grep -O foo", "git grep --open foo", "git $x log",
    "git -c diff.external=./x diff", "git -ccore.pager=./x log", "git -c \"core.pager=./x\" log",
    "git -c credential.helper='!./x' ls-remote", "git -c http.proxy=x ls-remote",
    "git --config-env core.pager=X log", "git ls-remote --exec=./x origin",
    "git archive --remote=ext::x HEAD", "git archive --exec=x --remote=y HEAD", "git config $x",
    "git grep -Oless x", "git grep --open-files-in-pager=x y", "git help x; git foo",
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "risk"), labelled(read=READS, change=CHANGES, destructive=DESTROYS, unknown=UNKNOWN)
)
def test_a_line_of_git_has_its_risk(line: str, risk: str) -> None:
    assert classify_line(line).risk == risk, classify_line(line).findings
