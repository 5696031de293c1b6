from __future__ import annotations

import pytest

from cockpit.colon import interpret
from cockpit.config.settings import Settings
from cockpit.errors import UsageError
from cockpit.sftp.request import Fetch
from cockpit.sftp.transfer import Progress, amount
from cockpit.wiring import Cockpit


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 30, "1.0 GiB"), (1 << 60, "1048576.0 TiB")],
)
def test_amounts(size: int, told: str) -> None:
    assert amount(size) == told


def test_progress_tells_share_and_file() -> None:
    assert Progress().told() == ""
    progress = Progress(file="one:/x", done=512, total=2048, files=1)
    assert progress.told() == " 25 %  512 B of 2.0 KiB  one:/x"
    progress.files, progress.files_done = 3, 1
    assert "1 of 3 files" in progress.told()


def test_fetch_is_said_with_a_host_or_of_the_current_one() -> None:
    cockpit = Cockpit(Settings())
    assert interpret("fetch web-1:/var/log/a 'web-1:/b c'", cockpit, 0).fetch == Fetch(
        host="web-1", paths=("/var/log/a", "/b c")
    )
    cockpit.choose_target("web-1")
    fetch = interpret("fetch /var/log/*.log", cockpit, 0).fetch
    assert fetch is not None and (fetch.host, fetch.paths) == ("web-1", ("/var/log/*.log",))


@pytest.mark.parametrize("line", ["fetch", "fetch /var/log", "fetch a:/x b:/y", "fetch 'a:/x"])
def test_what_is_no_fetch_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        interpret(line, Cockpit(Settings()), 0)
