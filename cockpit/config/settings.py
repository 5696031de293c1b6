"""What can be set in cockpit.toml, as types. The string under each field is its documentation.

The structs that mirror a table refuse unknown keys, so the reference in `docs/configuration.md` can be held to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from cockpit.formats.declaration import Declaration
from cockpit.guard.settings import OwnRule
from cockpit.inventory.settings import InventoryTable
from cockpit.options import FilePath
from cockpit.rules import DEFAULT_RULES, ThresholdRule
from cockpit.signals import SECOND
from cockpit.targets import Environment, TargetRule

if TYPE_CHECKING:
    from cockpit.config.document import Document


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what mirrors one table of cockpit.toml."""


class Screen(Table, frozen=True):
    """How the screen looks and how often it is drawn: `[screen]`."""

    theme: str = ""
    """The theme's name; empty for the cockpit's own, red where a target is named production. `ctrl+p` lists all."""
    themes: dict[Environment, str] = {}
    """A theme for each environment, by its name, so that production looks like production."""
    frames_per_second: Annotated[int, Meta(ge=1, le=30)] = 10
    """How often the panes may be drawn. Fewer save bytes over a slow line."""
    mouse: bool = True
    """Whether the mouse is used; without it the terminal's own selection works everywhere."""
    window_minutes: Annotated[int, Meta(ge=1, le=10_080)] = 15
    """How many minutes back the panes look at the start."""

    log_columns: tuple[str, ...] = ()
    """Attributes of log records that are columns of their own, such as `["status", "user.id"]`; `C` tries others."""

    @property
    def window(self) -> int:
        """The window's width in nanoseconds."""
        return self.window_minutes * 60 * SECOND


class OnCall(Table, frozen=True):
    """Who is on call, as the verdict line says it: `[on_call]`."""

    name: str = ""
    """Who it is."""
    contact: str = ""
    """How to reach them."""
    until: datetime | None = None
    """When their duty ends. A time without a zone is local time."""


class Limits(Table, frozen=True):
    """How much is kept in memory before the oldest goes: `[limits]`."""

    log_records: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 1_000_000
    """Log records, in 64 MiB at most: some 500,000 to 1,500,000 fit."""
    spans: Annotated[int, Meta(ge=1_000, le=5_000_000)] = 200_000
    """Spans, over all traces."""
    alerts: Annotated[int, Meta(ge=100, le=1_000_000)] = 50_000
    """Alerts."""
    subjects: Annotated[int, Meta(ge=100, le=1_000_000)] = 20_000
    """Rows of the health pane."""
    health_points: Annotated[int, Meta(ge=10, le=100_000)] = 720
    """Readings kept for each row of the health pane."""


class GuardSettings(Table, frozen=True):
    """What a command needs before it runs: `[guard]`."""

    ticket_pattern: str = ""
    """A regular expression that a change ticket matches whole, such as `CHG-[0-9]+`. Without one no ticket counts."""
    incident_pattern: str = ""
    """A regular expression that an incident's id matches whole; empty takes any."""
    elevation_minutes: Annotated[int, Meta(ge=1, le=240)] = 15
    """How long production may be changed once that was asked for."""
    approval_minutes: Annotated[int, Meta(ge=1, le=1_440)] = 30
    """How long a second person's approval is waited for, and holds."""
    rules: tuple[OwnRule, ...] = ()
    """What commands of your own do; the first entry that fits one decides."""


class SshSettings(Table, frozen=True):
    """How hosts are reached: `[ssh]`. Whom and with which keys is ssh_config's to say."""

    config: FilePath = ""
    """The ssh_config to read in place of `~/.ssh/config` and the system's."""
    keepalive_seconds: Annotated[float, Meta(ge=1, le=3600)] = 15.0
    """Seconds between two questions whether a quiet connection still lives, where ssh_config says nothing."""
    connect_seconds: Annotated[float, Meta(ge=1, le=600)] = 15.0
    """Seconds that a connection may take, where ssh_config says nothing; what people are asked may take longer."""


class TerminalSettings(Table, frozen=True):
    """What programs in a terminal may do: `[terminal]`."""

    clipboard: bool = False
    """Whether they may put text into your terminal's clipboard (OSC 52). What is in it they are never told."""
    links: bool = False
    """Whether they may make text a link to the web (OSC 8)."""


class LogSettings(Table, frozen=True):
    """Who vouches for the action log: `[log]`."""

    signing_key: FilePath = ""
    """Your SSH key, which seals the log at each session's end. One with a passphrase has to be in an agent."""
    allowed_signers: FilePath = ""
    """Whose signatures count, on the log and on approvals, as OpenSSH has it: a line is `NAME ssh-ed25519 KEY`."""


class LogsSettings(Table, frozen=True):
    """Where log records of sources go that memory has no room for, and how log files are read: `[logs]`."""

    spill: str = ""
    """How much of the disk they may take, compressed, such as 2GiB; nothing is kept there where it is empty."""
    spill_age: str = "24h"
    """How long they are kept there."""
    zone: str = ""
    """The zone of times in log files that tell none; empty for this machine's."""


class SourceTable(Table, frozen=True):
    """The keys of `[[sources]]` that belong to the cockpit; all others are the source's options."""

    kind: str
    """Which plugin it is, as `cockpit sources` lists them."""
    name: str = ""
    """What this source is called on the screen, once per file; its kind when not given."""
    enabled: bool = True
    """Whether it runs. A disabled source is shown as such, and its options are not read."""
    via: str = ""
    """The target through which all its connections go, such as a bastion; for kinds that can be carried over SSH."""


class File(Table, frozen=True):
    """A whole cockpit.toml."""

    default_sources: bool = True
    """Whether `host`, `files`, `journald` and `otlp` run too. An entry of the same name replaces one of them."""
    sources: tuple[SourceTable, ...] = ()
    """Where telemetry comes from, an entry each."""
    targets: tuple[TargetRule, ...] = ()
    """Where commands may land, and how careful to be there. The first entry that fits a target decides."""
    inventories: tuple[InventoryTable, ...] = ()
    """Who knows which hosts there are."""
    default_rules: bool = True
    """Whether the built-in rules hold too. An entry of the same name replaces one of them."""
    rules: tuple[ThresholdRule, ...] = ()
    """Thresholds that make alerts of readings."""
    keys: dict[str, Any] = {}
    """Keys by the identifier of what they do: a key, a list of keys, or `false` to unbind it."""
    screen: Screen = Screen()
    """How the screen looks."""
    on_call: OnCall = OnCall()
    """Who is on call."""
    limits: Limits = Limits()
    """How much is kept in memory."""
    guard: GuardSettings = GuardSettings()
    """What a command needs before it runs."""
    ssh: SshSettings = SshSettings()
    """How hosts are reached."""
    terminal: TerminalSettings = TerminalSettings()
    """What programs in a terminal may do."""
    log: LogSettings = LogSettings()
    """Who vouches for the action log."""
    logs: LogsSettings = LogsSettings()
    """Where log records go that memory has no room for."""
    formats: tuple[Declaration, ...] = ()
    """How logs are written that nobody knows yet."""


class SourceEntry(Struct, frozen=True, kw_only=True):
    """One source to run, its options not yet read, because its plugin is not yet loaded.

    Attributes:
        options: The raw table; read by `cockpit.registry.build`.
        index: Which `[[sources]]` table it is, from 0; -1 for a source that no file names.
        document: The file that names it.
    """

    name: str
    kind: str
    enabled: bool = True
    via: str = ""
    options: Mapping[str, Any] = {}
    index: int = -1
    document: Document | None = None

    def __repr__(self) -> str:
        return f"SourceEntry(name={self.name!r}, kind={self.kind!r}, enabled={self.enabled})"


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that can be set, with what holds where nothing is.

    Attributes:
        file: The cockpit.toml that was read; None where there is none.
        keys: Keys by the identifier of what they do; an empty tuple unbinds it.
        warnings: What works and is unwise, a line each. What the options of a source warn about comes with
            `cockpit.registry.build`.
    """

    file: Path | None = None
    sources: tuple[SourceEntry, ...] = ()
    targets: tuple[TargetRule, ...] = ()
    inventories: tuple[InventoryTable, ...] = ()
    rules: tuple[ThresholdRule, ...] = DEFAULT_RULES
    keys: Mapping[str, tuple[str, ...]] = {}
    screen: Screen = Screen()
    on_call: OnCall = OnCall()
    limits: Limits = Limits()
    guard: GuardSettings = GuardSettings()
    ssh: SshSettings = SshSettings()
    terminal: TerminalSettings = TerminalSettings()
    log: LogSettings = LogSettings()
    logs: LogsSettings = LogsSettings()
    formats: tuple[Declaration, ...] = ()
    warnings: tuple[str, ...] = ()
