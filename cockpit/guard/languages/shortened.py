"""Programs whose objects and commands may be cut short: ip, tc, bridge, nmcli, btrfs, bpftool and their kin.

A word stands for every command that it begins; of those the gravest counts. So `ip l s` (set) changes and `ip a s`
(show) reads, as the programs themselves have it.

Source: the sources of iproute2's `matches()`; nmcli(1), btrfs(8), bpftool(8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from cockpit.actions.command import Risk
from cockpit.guard.findings import Finding, rank

if TYPE_CHECKING:
    from cockpit.guard.call import Call
    from cockpit.guard.words import Word


class Commands(Struct, frozen=True):
    """The commands of an object, by what they do.

    Attributes:
        reads: Commands that only show, in one string.
        changes: Commands that change.
        destroys: Commands that destroy.
        alone: What the object does with no command.
        turns: By command: words behind it that make it a change.
        most: By command: how many operands it may have and still only shows.
        nested: Whether another object stands between (`ip xfrm state list`).
    """

    reads: str
    changes: str = ""
    destroys: str = ""
    alone: Risk = Risk.READ
    turns: Mapping[str, str] = {}
    most: Mapping[str, int] = {}
    nested: bool = False


class Program(Struct, frozen=True):
    """A program of this kind.

    Attributes:
        objects: Its objects, in the program's own order.
        takes: Options with a value; each may be cut short.
        flags: Options without one.
        refused: Options that make it unknown.
        alone: What it does with nothing said.
    """

    objects: Mapping[str, Commands]
    takes: str = ""
    flags: str = ""
    refused: str = ""
    alone: Risk = Risk.READ


_SHOW = "show list lst get save showdump help monitor"
_EDIT = "add change chg replace delete flush restore append prepend test"
_PLAIN = Commands(_SHOW, _EDIT)
_SET = Commands(_SHOW + " identify pids list-id", _EDIT + " set property afstats attach exec")
_IP_TAKES = "-loops -family -netns -batch"
_IP_FLAGS = (
    "-4 -6 -0 -M -B -I -D -human-readable -iec -stats -statistics -details -resolve -oneline -timestamp -tshort "
    "-Version -force -brief -json -pretty -color -help -Numeric -all -echo -compressvlans"
)
PROGRAMS = {
    "ip": Program(
        {
            "address": _PLAIN,
            "addrlabel": _PLAIN,
            "maddress": _PLAIN,
            "route": _PLAIN,
            "rule": _PLAIN,
            "neighbor": _PLAIN,
            "neighbour": _PLAIN,
            "ntable": _PLAIN,
            "ntbl": _PLAIN,
            "link": Commands("show list lst help", _EDIT + " set property afstats xstats"),
            "l2tp": _SET,
            "fou": _SET,
            "ila": _SET,
            "macsec": _SET,
            "tunnel": _SET,
            "tunl": _SET,
            "tuntap": _SET,
            "tap": _SET,
            "token": _SET,
            "tcpmetrics": _SET,
            "tcp_metrics": _SET,
            "monitor": Commands(""),
            "xfrm": Commands(
                _SHOW + " count", _EDIT + " set update deleteall allocspi setdefault getdefault", nested=True
            ),
            "mroute": _PLAIN,
            "mrule": _PLAIN,
            "netns": _SET,
            "netconf": _PLAIN,
            "vrf": _SET,
            "sr": _SET,
            "nexthop": _PLAIN,
            "mptcp": Commands(_SHOW, _EDIT + " set", nested=True),
            "ioam": _SET,
            "help": _PLAIN,
            "stats": Commands("show help", "set"),
        },
        takes=_IP_TAKES,
        flags=_IP_FLAGS,
        refused="-batch",
        alone=Risk.READ,
    ),
    "tc": Program(
        {
            "qdisc": Commands("show list lst get help", "add change replace link delete"),
            "class": Commands("show list lst get help", "add change replace link delete"),
            "filter": Commands("show list lst get help", "add change replace link delete"),
            "chain": Commands("show list lst get help", "add change replace link delete"),
            "actions": Commands("show list lst ls get help", "add change replace link delete flush"),
            "monitor": Commands(""),
            "exec": Commands("", "bpf", alone=Risk.CHANGE),
        },
        takes="-batch -netns -conf -cf",
        flags=(
            "-statistics -stats -details -raw -pretty -iec -graph -json -color -oneline "
            "-timestamp -tshort -Numeric -nm -names -name -force -Version -help -brief -echo"
        ),
        refused="-batch -conf -cf",
        alone=Risk.READ,
    ),
    "bridge": Program(
        {
            "link": Commands("show list lst help", "set"),
            "fdb": Commands("show list lst get help", _EDIT),
            "mdb": Commands("show list lst get help", _EDIT),
            "vlan": Commands("show list lst help tunnelshow", _EDIT + " set"),
            "vni": Commands("show list lst help", "add delete"),
            "mst": Commands("show list help", "set"),
            "monitor": Commands(""),
        },
        takes=_IP_TAKES,
        flags=_IP_FLAGS,
        refused="-batch",
    ),
    "devlink": Program(
        {
            name: Commands(
                "show list get help monitor",
                "set add delete new flash reload eswitch recover trigger clear test",
                alone=Risk.UNKNOWN,
            )
            for name in (
                "dev",
                "port",
                "health",
                "region",
                "trap",
                "resource",
                "rate",
                "sb",
                "linecard",
                "dpipe",
                "monitor",
            )
        },
        takes="-batch -Netns",
        flags="-Version -no-nice-names -json -pretty -verbose -statistics -s -j -p -v -n -iec",
        refused="-batch",
    ),
    "rdma": Program(
        {
            name: Commands("show list help monitor", "set add delete new", alone=Risk.READ)
            for name in ("link", "dev", "resource", "system", "statistic", "monitor")
        },
        takes="-batch",
        flags="-Version -details -json -pretty -force -d -j -p",
        refused="-batch",
    ),
    "nmcli": Program(
        {
            "general": Commands(
                "status permissions hostname logging", "", most={"hostname": 0, "logging": 0}
            ),
            "networking": Commands("connectivity", "on off", most={"connectivity": 0}),
            "radio": Commands("all wifi wwan", "", most={"all": 0, "wifi": 0, "wwan": 0}),
            "connection": Commands(
                "show monitor help",
                "up down add modify clone edit reload load import export migrate",
                "delete",
            ),
            "device": Commands(
                "status show monitor lldp wifi help",
                "set connect reapply modify disconnect down checkpoint up delete",
                turns={"wifi": "connect hotspot rescan"},
            ),
            "agent": Commands("", "secret polkit all", alone=Risk.CHANGE),
            "monitor": Commands(""),
            "help": Commands(""),
        },
        takes="-mode -fields -get-values -g -wait -colors -escape",
        flags="-terse -pretty -ask -show-secrets -overview -offline -version -help -s -t -p",
    ),
    "btrfs": Program(
        {
            "subvolume": Commands(
                "list show get-default find-new sync help",
                "create snapshot set-default",
                "delete",
                alone=Risk.UNKNOWN,
            ),
            "filesystem": Commands(
                "df show du usage label help commit-stats",
                "defragment sync resize mkswapfile balance",
                most={"label": 1},
                alone=Risk.UNKNOWN,
            ),
            "balance": Commands("status", "start pause cancel resume", alone=Risk.UNKNOWN),
            "device": Commands(
                "stats usage ready help",
                "add scan replace",
                "delete remove",
                turns={"stats": "-z --reset"},
                alone=Risk.UNKNOWN,
            ),
            "scrub": Commands(
                "status limit",
                "start cancel resume",
                most={"limit": 1},
                turns={"limit": "-l -d -a"},
                alone=Risk.UNKNOWN,
            ),
            "inspect-internal": Commands(
                (
                    "dump-super dump-tree inode-resolve logical-resolve subvolid-resolve rootid "
                    "min-dev-size tree-stats map-swapfile list-chunks"
                ),
                alone=Risk.UNKNOWN,
            ),
            "property": Commands("get list", "set", alone=Risk.UNKNOWN),
            "quota": Commands("status", "enable disable rescan", turns={}, alone=Risk.UNKNOWN),
            "qgroup": Commands(
                "show",
                "create assign remove limit clear-stale",
                "destroy",
                turns={"show": "--sync"},
                alone=Risk.UNKNOWN,
            ),
            "replace": Commands("status", "start cancel", alone=Risk.UNKNOWN),
            "rescue": Commands(
                "",
                (
                    "super-recover zero-log chunk-recover fix-device-size clear-uuid-tree "
                    "clear-space-cache clear-ino-cache create-control-device"
                ),
                alone=Risk.UNKNOWN,
            ),
            "check": Commands("", nested=True, alone=Risk.UNKNOWN),
            "restore": Commands("", alone=Risk.CHANGE),
            "send": Commands("", alone=Risk.CHANGE),
            "receive": Commands("", alone=Risk.CHANGE),
            "help": Commands(""),
            "version": Commands(""),
        },
        takes="--format --log",
        flags="--help --version -v --verbose -q --quiet",
        alone=Risk.UNKNOWN,
    ),
    "bpftool": Program(
        {
            "prog": Commands(
                "show list dump tracelog help",
                "load loadall attach detach pin run profile",
                turns={"dump": "file"},
            ),
            "map": Commands(
                "show list dump lookup getnext peek event_pipe help",
                "create update delete pin freeze push pop enqueue dequeue",
            ),
            "cgroup": Commands("show list tree help", "attach detach"),
            "perf": Commands("show list help"),
            "net": Commands("show list help", "attach detach"),
            "feature": Commands("probe list_builtins help"),
            "btf": Commands("show list dump help"),
            "link": Commands("show list help", "pin detach"),
            "struct_ops": Commands("show list dump help", "register unregister"),
            "iter": Commands("help", "pin"),
            "gen": Commands("skeleton subskeleton help", "object min_core_btf"),
            "token": Commands("show list help"),
            "batch": Commands("", "file", alone=Risk.UNKNOWN),
            "help": Commands(""),
            "version": Commands(""),
        },
        takes="-B --base-btf",
        flags=(
            "-j --json -p --pretty -f --bpffs -m --mapcompat -n --nomount -d --debug -V --version "
            "-h --help -l --legacy -L --use-loader"
        ),
        alone=Risk.UNKNOWN,
    ),
}
"""The programs, by name. A name that is listed twice within an object counts as the graver."""


def shortened(call: Call) -> list[Finding]:
    """Judge `PROGRAM [OPTIONS] [OBJECT [COMMAND …]]`."""
    name = (call.words[0].text or "").rpartition("/")[2]
    program = PROGRAMS[name]
    words, refused = _past_options(call, program)
    if refused:
        return [call.finding(Risk.UNKNOWN, refused)]
    if not words:
        return [call.finding(program.alone, "shows how things are")]
    if words[0].text is None or words[0].glob:
        return [call.finding(Risk.UNKNOWN, "has an object that isn't known")]
    found = [each for each in program.objects if each.startswith(words[0].text)]
    if not found:
        return [call.finding(Risk.UNKNOWN, f"has the object {words[0].text!r}, which no rule knows")]
    # The first object that fits is meant; where a program refuses what is ambiguous, nothing happens at all.
    thing = words[0].text if words[0].text in program.objects else found[0]
    if name == "ip" and thing in {"netns", "vrf"} and len(words) > 1 and _begins(words[1], "exec"):
        everywhere = any(_begins(word, "-all") for word in call.rest[: len(call.rest) - len(words)])
        inner = words[2 if everywhere else 3 :]
        return call.inner.words(inner, call.given) if inner else [call.finding(Risk.UNKNOWN, "runs nothing")]
    return _command(call, program.objects[thing], words[1:])


def _begins(word: Word, name: str) -> bool:
    return len(word.text or "") > (name[0] == "-") and name.startswith(word.text or "")


def _past_options(call: Call, program: Program) -> tuple[Sequence[Word], str]:
    """Return the words behind the options, and why the options are refused, if they are."""
    takes, flags, refused = (set(each.split()) for each in (program.takes, program.flags, program.refused))
    known = [*program.takes.split(), *program.flags.split()]
    words = list(call.rest)
    while words:
        word = words[0]
        if word.is_open:
            return (), f"has a word that may be an option: {word.raw}"
        text = (word.text or word.start).partition("=")[0]
        if not text.startswith("-"):
            return words, ""
        short = text if text in known else "-" + text.lstrip("-")
        fits = [each for each in known if each == short] or [each for each in known if each.startswith(short)]
        if not fits and set(short[1:]) <= {each[1] for each in flags if len(each) == 2}:
            fits = ["-" + short[1]]
        if not fits:
            return (), f"has the option {text}, which no rule knows"
        if fits[0] in refused:
            return (), "runs commands from a file"
        del words[: 2 if fits[0] in takes and "=" not in (word.text or "") else 1]
    return (), ""


def _command(call: Call, commands: Commands, words: Sequence[Word]) -> list[Finding]:
    if commands.nested and words and words[0].text is not None:
        words = words[1:]
    if not words:
        return [
            call.finding(commands.alone, "shows how things are" if commands.alone is Risk.READ else "acts")
        ]
    first = words[0]
    if first.text is None or first.glob:
        return [call.finding(Risk.UNKNOWN, "has a command that isn't known")]
    if not any((commands.reads, commands.changes, commands.destroys)):
        return [
            call.finding(commands.alone, "shows how things are" if commands.alone is Risk.READ else "acts")
        ]
    found = [
        (risk, each)
        for risk, names in (
            (Risk.READ, commands.reads), (Risk.CHANGE, commands.changes), (Risk.DESTRUCTIVE, commands.destroys),
        )
        for each in names.split()
        if each.startswith(first.text)
    ]  # fmt: skip
    exact = [each for each in found if each[1] == first.text]
    if not found:
        return [call.finding(Risk.UNKNOWN, f"has the command {first.text!r}, which no rule knows")]
    risk, name = max(exact or found, key=lambda each: rank(each[0]))
    rest = [word.text for word in words[1:]]
    operands = [text for text in rest if not (text or "").startswith("-")]
    turns = commands.turns.get(name, "").split()
    turned = any(
        len(text or "") > (text or "").startswith("-") and turn.startswith(text or "")
        for text in rest
        for turn in turns
    )
    if risk is Risk.READ and (turned or len(operands) > commands.most.get(name, len(operands))):
        risk = Risk.CHANGE
    if risk is Risk.READ and name in commands.turns and any(text is None for text in rest):
        risk = Risk.UNKNOWN
    what = {
        Risk.READ: "shows how things are",
        Risk.DESTRUCTIVE: "deletes",
        Risk.UNKNOWN: "has words that aren't known",
    }
    return [call.finding(risk, what.get(risk, f"changes how things are ({name})"))]
