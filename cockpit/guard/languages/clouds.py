"""What the command lines of clouds and forges read and write by the values of their options.

Source: the AWS CLI, gcloud, az and gh references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.words import Word, literal

_NOWHERE = frozenset({"/dev/stdout", "/dev/null", "/dev/stderr"})


def aws_outfile(call: Call) -> list[Finding]:
    """Judge an operation whose answer goes into a file, named by an operand."""
    if all(word.text in _NOWHERE for word in call.parts.operands):
        return [call.finding(Risk.READ, "prints what it gets")]
    return [call.finding(Risk.CHANGE, "writes a file")]


def aws_s3_copy(call: Call) -> list[Finding]:
    """Judge `aws s3 cp FROM TO`: to `-` it prints an object."""
    operands = call.parts.operands
    if len(operands) == 2 and operands[1].text == "-" and operands[0].start.startswith("s3://"):
        return [call.finding(Risk.READ, "prints an object")]
    return [call.finding(Risk.CHANGE, "copies objects")]


def to_stdout(call: Call) -> list[Finding]:
    """Judge a copy from a bucket: to `-` it prints the object."""
    operands = call.parts.operands
    if len(operands) == 2 and operands[1].text == "-" and operands[0].start.startswith(("gs://", "s3://")):
        return [call.finding(Risk.READ, "prints an object")]
    return [call.finding(Risk.CHANGE, "copies objects")]


def aws_records(call: Call) -> list[Finding]:
    """Judge changes of DNS records by what they say."""
    batch = call.values("--change-batch", "--cli-input-json")
    if any(re.search(r"(?i)action\W{1,4}\s*delete", word.text or "") for word in batch):
        return [call.finding(Risk.DESTRUCTIVE, "deletes DNS records")]
    return [call.finding(Risk.CHANGE, "changes DNS records")]


def aws_ssm(call: Call) -> list[Finding]:
    """Judge the lines that Systems Manager runs on machines, beyond that it runs some."""
    found: list[Finding] = []
    for word in call.values("--parameters", "--cli-input-json"):
        for line in _commands(word.text or ""):
            found += [each for each in call.inner.line(literal(line), NOTHING) if _is_worse(each)]
    return found


def _is_worse(finding: Finding) -> bool:
    return rank(finding.risk) > rank(Risk.UNKNOWN)


def _commands(text: str) -> Iterator[str]:
    """Yield the lines in `commands=…` or in JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        value = value.get("Parameters", value)
        lines = value.get("commands", []) if isinstance(value, dict) else []
        yield from (str(each) for each in (lines if isinstance(lines, list) else [lines]))
        return
    lines_of = text.partition("commands=")[2].strip("[]")
    yield from (each.strip("'\"") for each in re.split(r"""["']\s*,\s*["']""", lines_of) if each)


def aws_command(call: Call) -> list[Finding]:
    """Judge the command that ECS runs in a container."""
    lines = call.values("--command")
    return [each for line in lines for each in call.inner.line(line, NOTHING)] or [
        call.finding(Risk.UNKNOWN, "runs a command that isn't known")
    ]


_ASKS = re.compile(
    r"(?is)\s*(select|show|describe|desc)\b(?!.*(;\s*\S|\binto\b|\bpg_|\bfor\s+update\b|\bexport\b))"
)
_LOSES = re.compile(r"(?is)\b(drop|truncate|delete)\b")


def sql(call: Call) -> list[Finding]:
    """Judge statements that are sent to a service, by their first words."""
    options = call.values(
        "--statement", "--statements", "--sql", "--query-string", "--sqls", "--sql-statements"
    )
    statements: Sequence[Word] = options or call.parts.operands
    if not statements or any(word.text is None for word in statements):
        return [call.finding(Risk.UNKNOWN, "has a statement that isn't known")]
    texts = [word.text or "" for word in statements]
    if any(_LOSES.search(re.sub(r"'[^']*'", "''", text)) for text in texts):
        return [call.finding(Risk.DESTRUCTIVE, "has a statement that destroys data")]
    if all(_ASKS.match(text) for text in texts) and "start-query-execution" not in {
        w.text for w in call.words
    }:
        return [call.finding(Risk.READ, "asks for data")]
    return [call.finding(Risk.CHANGE, "runs a statement")]


def gcloud_ssh(call: Call) -> list[Finding]:
    """Judge `gcloud compute ssh MACHINE [--command=LINE] [-- WORDS FOR SSH…]`."""
    found = [each for line in call.values("--command") for each in call.inner.line(line, NOTHING)]
    operands = call.parts.operands
    if 0 <= call.parts.separator < len(operands):
        words = [literal("ssh"), *operands[: call.parts.separator][:1], *operands[call.parts.separator :]]
        found += call.inner.words(words, call.given)
    return found or [call.finding(Risk.UNKNOWN, "opens a shell on another machine")]


def az_credentials(call: Call) -> list[Finding]:
    """Judge `az aks get-credentials`: with `--file -` it prints them."""
    files = call.values("-f", "--file")
    if files and all(word.text == "-" for word in files):
        return [call.finding(Risk.READ, "prints a kubeconfig")]
    return [call.finding(Risk.CHANGE, "writes the kubeconfig file")]


def az_rest(call: Call) -> list[Finding]:
    """Judge `az rest` by its method."""
    if call.has("--output-file"):
        return [
            call.finding(Risk.CHANGE, "writes a file"),
            *_method(call, call.values("-m", "--method"), "GET"),
        ]
    return _method(call, call.values("-m", "--method"), "GET")


def _method(call: Call, given: Sequence[Word], usual: str) -> list[Finding]:
    if given and given[-1].text is None:
        return [call.finding(Risk.UNKNOWN, "sends a method that isn't known")]
    method = (given[-1].text or usual if given else usual).upper()
    if method in {"GET", "HEAD", "OPTIONS"}:
        return [call.finding(Risk.READ, f"sends {method}")]
    if method == "DELETE":
        return [call.finding(Risk.DESTRUCTIVE, "sends DELETE")]
    return [call.finding(Risk.CHANGE, f"sends {method}")]


def az_invoke(call: Call) -> list[Finding]:
    """Judge the lines that az runs on a machine, in a container or in a cluster."""
    found: list[Finding] = []
    values = call.values("--scripts", "--command", "--exec-command", "-c")
    for word in (*values, *(call.parts.operands if call.has("--scripts") else ())):
        if word.text == "@-" and call.given.text is not None:
            found += call.inner.line(literal(call.given.text), NOTHING)
        elif word.text is not None and word.text.startswith("@"):
            found.append(call.finding(Risk.UNKNOWN, "runs the lines of a file"))
        else:
            found += call.inner.line(word, NOTHING)
    return found or [call.finding(Risk.UNKNOWN, "runs a command that isn't known")]


def forge_api(call: Call) -> list[Finding]:
    """Judge `gh api PATH`: with fields it sends POST; GraphQL reads where it says no mutation."""
    fields = call.values("-f", "--raw-field", "-F", "--field", "--form")
    bodies = call.values("--input")
    operands = call.parts.operands
    if operands and (operands[0].text or "").strip("/") == "graphql":
        texts = [word.text for word in fields]
        if bodies or None in texts or any("query=@" in (text or "") for text in texts):
            return [call.finding(Risk.UNKNOWN, "sends a query that isn't known")]
        if any(re.search(r"(?i)\bmutation\b", text or "") for text in texts):
            loses = any(re.search(r"(?i)\b(delete|remove)\w*\s*\(", text or "") for text in texts)
            return [call.finding(Risk.DESTRUCTIVE if loses else Risk.CHANGE, "sends a mutation")]
        return [call.finding(Risk.READ, "sends a query")]
    usual = "POST" if fields or bodies else "GET"
    return _method(call, call.values("-X", "--method"), usual)
