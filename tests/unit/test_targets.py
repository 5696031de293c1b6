"""Which targets there are, how careful to be there, and what a name stands for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cockpit.errors import UsageError
from cockpit.targets import GROUP, Environment, Host, TargetRule, Targets

P, S, D = Environment.PRODUCTION, Environment.STAGING, Environment.DEVELOPMENT

HOSTS = (
    Host(name="web-2", groups=("web", "eu"), known_from=("ansible",)),
    Host(name="web-1", groups=("web",), environment=S, known_from=("ansible",), user="deploy"),
    Host(name="db-1", groups=("db", "eu"), host="10.0.0.7", port=2222, known_from=("ansible",)),
    Host(name="spare", known_from=("ssh_config",)),
)
RULES = (
    TargetRule(name="local", environment=D),
    TargetRule(name="web-2", environment=D, groups=("canary",)),
    TargetRule(name="@db", environment=P, via="bastion", user="dba", forward_agent=True),
    TargetRule(name="bastion", environment=P, host="192.0.2.1"),
)


def targets() -> Targets:
    known = Targets(RULES)
    known.learn(HOSTS)
    return known


def names(known: Targets, name: str) -> list[str]:
    return [target.name for target in known.members(name)]


def test_a_rule_decides_and_an_inventory_fills_in() -> None:
    db = targets().resolve("db-1")
    assert (db.environment, db.via, db.host, db.user, db.port) == (P, "bastion", "10.0.0.7", "dba", 2222)
    assert db.forward_agent and db.transport == "ssh" and db.groups == ("db", "eu")
    web = targets().resolve("web-2")
    assert (web.environment, web.groups) == (D, ("canary", "web", "eu"))
    assert web.known_from == ("cockpit.toml", "ansible")


def test_without_a_rule_the_inventory_says_the_environment_and_else_it_is_production() -> None:
    known = targets()
    assert (known.resolve("web-1").environment, known.resolve("web-1").named) == (S, True)
    for name in ("spare", "nowhere"):
        assert (known.resolve(name).environment, known.resolve(name).named) == (P, False)
    assert not known.resolve("nowhere").forward_agent


def test_only_local_is_this_machine() -> None:
    known = targets()
    known.learn((Host(name="local", environment=S, host="192.0.2.9"),))
    assert (known.resolve("local").transport, known.resolve("local").host) == ("local", "")
    assert known.resolve("local").environment is D
    assert known.resolve("@all").transport == GROUP


def test_a_name_stands_for_its_members() -> None:
    known = targets()
    assert names(known, "@web") == ["web-1", "web-2"]
    assert names(known, "@canary") == ["web-2"]
    assert names(known, "@all") == ["bastion", "db-1", "spare", "web-1", "web-2"]
    assert names(known, "web-*") == ["web-1", "web-2"]
    assert names(known, "[ds]*") == ["db-1", "spare"]
    assert names(known, "db-1") == ["db-1"]
    assert names(known, "db-1, @web,web-1") == ["db-1", "web-1", "web-2"]
    assert names(known, "@eu,!web-*") == ["db-1"]
    assert names(known, "!web-1,@all,!@eu") == ["bastion", "spare"]
    assert names(known, "local") == ["local"]
    assert names(known, "unknown.example") == ["unknown.example"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("@wbe", r"no host is in a group '@wbe' \(did you mean @web\?\)"),
        ("@nothing-like-it", r"known are local, @all, @canary, .*more: cockpit targets"),
        ("wob-*", r"no known host matches 'wob-\*'"),
        ("@", "no host is in a group '@'"),
        ("", "the target '' is empty"),
        ("a,,b", "is empty"),
        ("@web,!web-?", "leaves no host"),
        ("@web,!web-11", r"'!web-11' leaves out what is not among them \(did you mean web-1\?\)"),
        ("@web,!wob-*", "no known host matches"),
        ("-oProxyCommand=x", "begins with a dash"),
        ("a b", "holds a space"),
        ("a\x1b[31m", "no known host|can't be printed"),
        ("$(x)", "holds"),
    ],
)
def test_what_stands_for_nothing_is_refused_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        targets().members(name)


def test_several_hosts_are_as_grave_as_the_gravest() -> None:
    known = targets()
    web = known.choose("@web")
    assert (web.name, web.environment, web.transport) == ("@web", S, GROUP)
    assert known.resolve("@web") == web
    assert known.choose("@all").environment is P
    assert known.choose("web-2").transport == "ssh"
    empty = Targets().resolve("@web")
    assert (empty.environment, empty.named) == (P, False)


def test_until_all_have_answered_a_rule_for_a_group_holds_for_whatever_may_be_in_it() -> None:
    rules = (TargetRule(name="@prod", environment=P), TargetRule(name="*", environment=D))
    known = Targets(rules)
    known.learn((), complete=False)
    assert known.resolve("db-1").environment is P
    assert known.resolve("local").environment is D
    known.learn((Host(name="db-1"),), complete=True)
    assert known.resolve("db-1").environment is D
    known.learn((Host(name="db-1", groups=("prod",)),), complete=True)
    assert known.resolve("db-1").environment is P


def test_sources_and_patterns_are_no_hosts() -> None:
    rules = (TargetRule(name="alertmanager-eu"), TargetRule(name="db-*"), TargetRule(name="web-1"))
    assert [target.name for target in Targets(rules, apart=("alertmanager-eu",)).hosts()] == ["web-1"]


def test_a_pattern_that_fits_the_host_before_does_not_send_it_through_itself() -> None:
    known = Targets((TargetRule(name="*", via="bastion"),))
    assert known.resolve("bastion").via == "" and known.resolve("db").via == "bastion"


def test_names_for_completion() -> None:
    assert targets().names() == (
        "local", "@all", "@canary", "@db", "@eu", "@web", "bastion", "db-1", "spare", "web-1", "web-2",
    )  # fmt: skip


@pytest.mark.parametrize(
    "bad", ["-x", "a b", 'a"b', "a'b", "a\nb", "a\x1b[1m", "", "x" * 256, "a,b", "@a", "$x"]
)
def test_an_inventory_cannot_bring_in_a_name_that_could_be_anything_else(bad: str) -> None:
    known = Targets()
    known.learn((Host(name=bad), Host(name="good")))
    assert [target.name for target in known.hosts()] == ["good"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a", "via": "a"}, "names a itself"),
        ({"name": "a", "via": "local"}, "is this machine"),
        ({"name": "a", "via": "@web"}, "`via` holds @"),
        ({"name": "a", "host": "-oX"}, "`host` begins with a dash"),
        ({"name": "a", "user": "x y"}, "`user` holds a space"),
        ({"name": "a", "groups": ("b c",)}, "the group 'b c' holds a space"),
        ({"name": "a*", "host": "h"}, "one machine of all"),
        ({"name": "local", "via": "b"}, "is this machine"),
        ({"name": " "}, "`name` is empty"),
    ],
)
def test_nonsense_in_a_rule_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        TargetRule(**wrong)  # type: ignore[arg-type]


@given(
    st.lists(st.text("abc-", min_size=1, max_size=4), max_size=12),
    st.text("abc-*?[]!", min_size=1, max_size=6),
)
def test_a_pattern_stands_for_known_hosts_alone(hosts: list[str], pattern: str) -> None:
    known = Targets()
    known.learn(Host(name=name) for name in hosts)
    every = {target.name for target in known.hosts()}
    try:
        members = known.members(pattern)
    except UsageError:
        return
    assert members and len({member.name for member in members}) == len(members)
    assert {member.name for member in members} <= every | {pattern}
