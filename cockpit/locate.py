"""Where the configuration and the data are kept. Creates nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cockpit.errors import ConfigError

NAME = "cockpit.toml"
CONFIG_VARIABLE = "COCKPIT_CONFIG"
DATA_VARIABLE = "COCKPIT_DATA_DIR"


def find(flag: str | None) -> Path | None:
    """Return the configuration file: by flag, `COCKPIT_CONFIG`, the working directory, then the user's own.

    Raises:
        ConfigError: A file that was asked for by name isn't there, or the one of the working directory could have
            been written by someone else: it may name commands to run.
    """
    for asked, by in ((flag, "--config"), (os.environ.get(CONFIG_VARIABLE), CONFIG_VARIABLE)):
        if asked:
            file = _expanded(asked)
            if not os.path.exists(file):  # noqa: PTH110  pathlib raises where a folder on the way is closed to us
                raise ConfigError(
                    f"there is no such file, and {by} names it",
                    file=asked,
                    remedy="check the path, or make one with: cockpit init --config FILE",
                )
            return file
    here = Path(NAME)
    if here.is_file():
        _trust(here)
        return here
    own = user_file()
    return own if own.is_file() else None


def wanted_file(flag: str | None) -> Path:
    """Return the file to write: by flag, `COCKPIT_CONFIG`, then the user's own."""
    asked = flag or os.environ.get(CONFIG_VARIABLE)
    return _expanded(asked) if asked else user_file()


def user_file() -> Path:
    """Return where the user's own configuration file belongs."""
    return _base("XDG_CONFIG_HOME", ".config") / "cockpit" / NAME


def data_dir(flag: str | None = None) -> Path:
    """Return the folder of what the cockpit keeps: by flag, `COCKPIT_DATA_DIR`, then the user's data directory."""
    asked = flag or os.environ.get(DATA_VARIABLE)
    if not asked:
        return _base("XDG_DATA_HOME", ".local/share") / "cockpit"
    return _expanded(asked)


def _expanded(asked: str) -> Path:
    try:
        return Path(asked).expanduser()
    except RuntimeError:
        raise ConfigError("its ~ names no user's home", file=asked, remedy="give a whole path") from None


def _base(variable: str, fallback: str) -> Path:
    """Return a base directory as the XDG Base Directory Specification 0.8 says: relative values are ignored."""
    named = os.environ.get(variable, "")
    if Path(named).is_absolute():
        return Path(named)
    try:
        return Path.home() / fallback
    except RuntimeError:
        raise ConfigError("there is no home directory to look in", remedy=f"set {variable} or HOME") from None


def _trust(file: Path) -> None:
    """Refuse a file that was only found by chance and that someone else could have written."""
    found = file.stat()
    if found.st_uid in (os.getuid(), 0) and not found.st_mode & stat.S_IWOTH:
        return
    why = "anyone may write to it" if found.st_mode & stat.S_IWOTH else "it belongs to another user"
    raise ConfigError(
        f"not read from the working directory, for {why}",
        file=str(file),
        remedy=f"if you trust it, say so: --config ./{file}",
    )
