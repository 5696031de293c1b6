"""Which actions are meant: what a list, a search and an export are told, and how it becomes SQL."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Filter(Struct, frozen=True, kw_only=True):
    """What an action has to be; an empty field asks for nothing.

    Attributes:
        since_ns: Begun at this moment or later.
        until_ns: Begun before this moment.
        session: The beginning of its session's id.
        incident: Its incident.
        target: Its target's name.
        risk: `read`, `change`, `destructive` or `unknown`.
        state: How it ended, or that it runs.
        kind: `command`, `elevation`, `export` …
        text: Words in its command, its reason, its notes or its output.
    """

    since_ns: int | None = None
    until_ns: int | None = None
    session: str = ""
    incident: str = ""
    target: str = ""
    risk: str = ""
    state: str = ""
    kind: str = ""
    text: str = ""

    @property
    def of_actions_alone(self) -> bool:
        """Whether it asks for what only an action has, and no note by itself."""
        return bool(self.target or self.risk or self.state or self.kind or self.text)

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """Return SQL conditions on columns of `actions` and their values, for all but state and text."""
        equal = {"incident": self.incident, "target": self.target, "risk": self.risk, "kind": self.kind}
        found = [f"{name} = :{name}" for name, value in equal.items() if value]
        values: dict[str, Any] = {name: value for name, value in equal.items() if value}
        if self.session:
            found.append("session >= :session and session < :session || '~'")
            values["session"] = self.session
        if self.since_ns is not None:
            found.append("started_ns >= :since")
            values["since"] = self.since_ns
        if self.until_ns is not None:
            found.append("started_ns < :until")
            values["until"] = self.until_ns
        return found, values

    def holds_at(self, at_ns: int) -> bool:
        """Return whether a moment is within the filter's time."""
        return (self.since_ns is None or at_ns >= self.since_ns) and (
            self.until_ns is None or at_ns < self.until_ns
        )
