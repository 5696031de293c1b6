"""Subcommands that are programs of their own, or repeat those of their program."""

from __future__ import annotations

from msgspec.structs import replace

from cockpit.guard.call import Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, literal, shown


def again(call: Call) -> list[Finding]:
    """Judge a group that repeats its program's subcommands: `docker container rm` is `docker rm`."""
    return _as(call, call.words[0])


def plugin(call: Call) -> list[Finding]:
    """Judge a subcommand that is a program of its own: `docker compose` is `docker-compose`."""
    above = call.words[: len(call.words) - len(call.rest)]
    return _as(call, literal(f"docker-{above[-1].shown}"))


def kubectl(call: Call) -> list[Finding]:
    """Judge a subcommand that a program shares with kubectl: `oc get` is `kubectl get`."""
    return _as(replace(call, rest=call.words[1:]), literal("kubectl"))


def inner_kubectl(call: Call) -> list[Finding]:
    """Judge `minikube kubectl -- get pods`."""
    rest = [word for word in call.rest if word.text != "--"]
    return call.inner.words([literal("kubectl"), *rest], call.given)


def _as(call: Call, program: Word) -> list[Finding]:
    """Judge the words behind a subcommand as those of a program, and name them as they were written."""
    words = [program, *call.rest]
    inner = call.inner.words(words, call.given)
    return [
        replace(each, part=shown(call.words), preview=()) if each.part == shown(words) else each
        for each in inner
    ]
