"""Who asks is who the kernel says, not what the environment says."""

from __future__ import annotations

import os
import pwd
import socket

import pytest

from cockpit.actions.actor import Actor, current_actor


def test_it_is_the_account_of_the_user_id(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert str(current_actor()) == f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"


def test_whoever_used_sudo_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ann")
    assert current_actor().sudo_user == "ann"
    assert str(Actor(user="root", host="desk", sudo_user="ann")) == "root@desk (sudo by ann)"
