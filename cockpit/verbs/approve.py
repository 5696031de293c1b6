"""`cockpit approve`: a second person says yes or no to what was asked, with an SSH signature."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cockpit.actionlog.log import ActionLog
    from cockpit.actionlog.records import Approval
    from cockpit.config import Settings


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Describe the verb."""
    parser = subparsers.add_parser(
        "approve",
        help="approve, as a second person, what an operator asked for",
        description="Show what an operator asks a second person for and sign it with an SSH key; without an ID, list "
        "what is open. Nobody approves their own. With --beforehand a command is approved before it is asked for, as "
        "the step of a runbook is.",
        usage="cockpit approve [OPTIONS] [ID]\n       cockpit approve --beforehand DAYS [OPTIONS] -- ARGV…",
    )
    parser.add_argument("--key", metavar="FILE", default="", help="your SSH key (default: [log] signing_key)")
    parser.add_argument("--yes", action="store_true", help="sign without being asked at the terminal")
    parser.add_argument("--refuse", action="store_true", help="say no; a reason goes to --remark")
    parser.add_argument("--remark", metavar="TEXT", default="", help="what else is to be said")
    parser.add_argument(
        "--print", action="store_true", help="print the text to sign elsewhere, and sign nothing"
    )
    parser.add_argument(
        "--signature", metavar="FILE", default="", help="a signature that `ssh-keygen -Y sign` made elsewhere"
    )
    parser.add_argument(
        "--beforehand", metavar="DAYS", type=int, default=0, help="approve a command for so long"
    )
    parser.add_argument("--target", metavar="T", default="local", help="where that command lands")
    parser.add_argument(
        "--shell", metavar="LINE", default="", help="that command as a line, in place of ARGV"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="ID", help="the request, or the beginning of its id"
    )


def main(args: argparse.Namespace) -> int:
    """List, show and answer requests.

    Raises:
        UsageError: There is no such request, or the flags contradict each other.
        Refused: Whoever asked may not approve.
        SignatureError: The signature can't be made, or does not count.
        ActionLogError: The log can't be read or written.
    """
    import asyncio

    from cockpit import config
    from cockpit.actionlog.opening import opened
    from cockpit.config import data_dir

    settings = config.load(args.config)
    log = opened(data_dir(args.data_dir), settings)
    try:
        return asyncio.run(_main(args, log, settings))
    finally:
        log.close()


async def _main(args: argparse.Namespace, log: ActionLog, settings: Settings) -> int:
    from cockpit.errors import UsageError

    if args.beforehand:
        request = await _beforehand(args, log, settings)
    elif args.words:
        request = args.words[0]
    else:
        return _list(log, as_json=args.json)
    if len(args.words) > 1 and not args.beforehand:
        raise UsageError("more than one request was named", remedy="cockpit approve ID")
    approval = log.reading().approval(request)
    if args.print:
        print(approval.asked, end="")
        return 0
    return await _answer(args, log, settings, approval)


def _list(log: ActionLog, *, as_json: bool) -> int:
    """Print the requests that are still open."""
    import json
    import sys
    import time

    open_ones = [
        each
        for each in log.reading().approvals(limit=1000)
        if not each.answers and each.expires_ns > time.time_ns()
    ]
    if as_json:
        print(json.dumps([{"id": each.id, **json.loads(each.asked)} for each in open_ones], indent=2))
    elif not open_ones:
        print("nothing waits for an approval", file=sys.stderr)
    for each in () if as_json else open_ones:
        print("\n".join(_page(each)), end="\n\n")
    return 0


def _page(approval: Approval) -> Iterator[str]:
    import json
    import shlex

    from cockpit.verbs.showing import one_line

    asked = json.loads(approval.asked)
    command = asked["command"] if isinstance(asked["command"], str) else shlex.join(asked["command"])
    yield f"request    {approval.id}"
    yield f"command    {one_line(command)}"
    yield f"lands on   {one_line(asked['lands_on'])} ({asked['environment']})"
    yield f"risk       {asked['risk']}"
    for reason in asked["blast_radius"]:
        yield f"           {one_line(reason)}"
    for name in ("reason", "incident", "ticket", "undo", "directory"):
        if asked[name]:
            yield f"{name:10} {one_line(asked[name])}"
    yield f"asked by   {one_line(approval.actor)}, {approval.at[:19]}Z"
    yield f"expires    {asked['expires'][:19]}Z" + (", for any number of runs" if asked["beforehand"] else "")


async def _beforehand(args: argparse.Namespace, log: ActionLog, settings: Settings) -> str:
    """Write the request for a command that nobody has asked for yet."""
    from cockpit.actions.command import Command, shell_command
    from cockpit.approvals import BEFOREHAND_MOST
    from cockpit.config import data_dir
    from cockpit.errors import UsageError
    from cockpit.guard import approval
    from cockpit.guard.setup import guard_of
    from cockpit.verbs.targeting import targets_for

    argv = tuple(args.words[1:] if args.words[:1] == ["--"] else args.words)
    if bool(argv) == bool(args.shell):
        raise UsageError(
            "there is no command to approve", remedy="cockpit approve --beforehand DAYS -- ARGV…"
        )
    if not 0 < args.beforehand <= BEFOREHAND_MOST:
        raise UsageError(f"an approval holds for 1 to {BEFOREHAND_MOST} days")
    targets = await targets_for(settings, args.target, data=data_dir(args.data_dir))
    target = targets.resolve(args.target)
    command = (
        shell_command(args.shell, target, actor="")
        if args.shell
        else Command(argv=argv, target=target, actor="")
    )
    expires = approval.expiry(args.beforehand * 24 * 60)
    asked = approval.request_of(
        command,
        guard_of(settings, targets=targets).assess(command),
        fingerprint="",
        expires_ns=expires,
        beforehand=True,
    )
    return await log.request_approval(asked, target=target.name, expires_ns=expires)


async def _answer(args: argparse.Namespace, log: ActionLog, settings: Settings, approval: Approval) -> int:
    import sys
    from pathlib import Path

    from cockpit.approvals import Approvals
    from cockpit.errors import Refused, UsageError
    from cockpit.guard import signing
    from cockpit.guard.approval import check, sign

    for line in _page(approval):
        print(line, file=sys.stderr)
    if not args.yes and not args.signature and not _agreed(refuse=args.refuse):
        raise Refused("nothing was signed")
    signers = Approvals(log, settings).signers()
    operator = _operator(approval)
    key = args.key or settings.log.signing_key
    if args.signature:
        signature = Path(args.signature).read_text(encoding="utf-8")
        approver = await check(approval.asked, signature, operator=operator, allowed_signers=signers)
    elif key:
        approver, signature = await sign(
            approval.asked, key=Path(key).expanduser(), operator=operator, allowed_signers=signers
        )
    else:
        raise UsageError("there is no key to sign with", remedy="--key FILE, or signing_key in [log]")
    await log.answer_approval(
        approval.id,
        granted=not args.refuse,
        approver=approver,
        signature=signature,
        fingerprint=signing.fingerprint_of(signature),
        remark=args.remark,
    )
    answered = log.reading().approval(approval.id)
    if args.json:
        from cockpit.verbs.showing import as_json

        print(as_json(answered))
    else:
        print(f"{'refused' if args.refuse else 'approved'} by {approver}: {approval.id}")
    return 0


def _operator(approval: Approval) -> str:
    """Return who asked; what is approved beforehand was asked by nobody, and its approver signs for others."""
    import json

    return "" if json.loads(approval.asked).get("beforehand") is True else approval.actor


def _agreed(*, refuse: bool) -> bool:
    """Ask at the terminal."""
    import sys

    from cockpit.errors import UsageError

    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "nobody can be asked, as there is no terminal", remedy="--yes signs without being asked"
        )
    print(f"{'refuse' if refuse else 'approve'} this? (yes signs it): ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
