from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.sftp.request import Fetch, Put, fetches, place, read

paths = st.text(min_size=1).filter(lambda text: "\0" not in text)


@given(paths=st.lists(paths, min_size=1, max_size=4), limit=st.integers(1, 1 << 40))
def test_a_fetch_is_read_back_from_its_words(paths: list[str], limit: int) -> None:
    asked = Fetch(host="web-1", paths=tuple(paths), limit=limit)
    assert read(asked.argv) == asked


@given(files=st.lists(paths, min_size=1, max_size=4), path=paths, overwrite=st.booleans())
def test_a_put_is_read_back_from_its_words(files: list[str], path: str, overwrite: bool) -> None:
    asked = Put(host="web-1", files=tuple(files), path=path, overwrite=overwrite)
    assert read(asked.argv) == asked


def test_places() -> None:
    assert place("web-1:/var/log") == ("web-1", "/var/log")
    assert place("web-1:a:b") == ("web-1", "a:b")
    assert place("web-1:") == ("web-1", ".")
    assert place("[fe80::1]:/x") == ("fe80::1", "/x")


@pytest.mark.parametrize("text", ["", "web-1", ":/x", "-oProxyCommand=x:/x", "[fe80::1/x", "a:\0"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        place(text)


def test_places_of_one_host_are_one_fetch() -> None:
    made = fetches(["a:/1", "b:/2", "a:/3"], 10)
    assert [(each.host, each.paths) for each in made] == [("a", ("/1", "/3")), ("b", ("/2",))]
