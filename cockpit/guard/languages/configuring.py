"""Modules of ansible and functions of salt, which a single command runs on many machines.

Source: ansible(1), the index of ansible.builtin modules; Salt's index of execution modules.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, literal

_READS = frozenset(
    {
        "ping", "win_ping", "setup", "debug", "stat", "wait_for", "wait_for_connection", "service_facts",
        "package_facts", "gather_facts", "slurp", "getent", "assert", "mount_facts", "find", "command_facts",
        "listen_ports_facts", "validate_argument_spec", "fail", "pause",
    }
)  # fmt: skip
_READS_LIKE = ("*_info", "*_facts", "*_ping")
_DESTROYS = frozenset({"reboot", "win_reboot", "shutdown"})
_CREATES = re.compile(
    r"^\s*(?:(?:chdir|creates|removes|executable|warn|stdin)=(?:'[^']*'|\"[^\"]*\"|\S+)\s+)+"
)
_PIPE = re.compile(r"""lookup\s*\(\s*['"](?:ansible\.builtin\.)?pipe['"]\s*,\s*(['"])(.*?)\1""")
_TEMPLATE = re.compile(r"\{\{|\{%")


def ansible(call: Call) -> list[Finding]:
    """Judge `ansible PATTERN [-m MODULE] [-a ARGUMENTS]`."""
    modules, arguments = call.values("-m", "--module-name"), call.values("-a", "--args")
    given = arguments[-1] if arguments else literal("")
    found = _inventory(call) + _templates(call, given)
    if any(word.text is None for word in modules) or given.text is None:
        return [*found, call.finding(Risk.UNKNOWN, "runs a module or arguments that aren't known")]
    module = (modules[-1].text or "" if modules else "command").rpartition(".")[2]
    return found + _module(call, module, given.text)


def inventory(call: Call) -> list[Finding]:
    """Judge `ansible-inventory`: an inventory may be a program."""
    return _inventory(call)


def _inventory(call: Call) -> list[Finding]:
    """A path to an inventory is run where it is a program."""
    programs = (".py", ".sh", ".rb", ".pl", ".js")
    return [
        call.finding(Risk.UNKNOWN, f"runs the inventory {word.shown}")
        for word in call.values("-i", "--inventory", "--inventory-file")
        if word.text is None or word.text.startswith("./") or word.text.endswith(programs)
    ]


def _templates(call: Call, given: Word) -> list[Finding]:
    """Arguments and variables are templates, which may run programs here."""
    found: list[Finding] = []
    for word in (given, *call.values("-e", "--extra-vars")):
        text = word.text or ""
        for match in _PIPE.finditer(text):
            found += call.inner.line(literal(match[2]), NOTHING)
        expression = _TEMPLATE.search(text) or re.search(r"\b(var|that)\b", text)
        if expression and re.search(r"lookup|query|\bq\s*\(", text):
            found.append(call.finding(Risk.UNKNOWN, "has a template that looks something up"))
    return found


def _module(call: Call, module: str, arguments: str) -> list[Finding]:
    if module in {"command", "shell", "raw", "win_shell", "win_command", "expect"}:
        return _command(call, module, arguments)
    if module == "script":
        return [call.finding(Risk.UNKNOWN, "runs a script")]
    if module == "uri":
        return _uri(call, arguments)
    if module in _DESTROYS:
        return [call.finding(Risk.DESTRUCTIVE, "restarts or stops machines")]
    if module == "setup" and "fact_path" in arguments:
        return [call.finding(Risk.UNKNOWN, "runs the facts of a folder")]
    if module in {"apt", "dnf", "yum"} and re.fullmatch(r"\s*list=[\w*.-]+\s*", arguments):
        return [call.finding(Risk.READ, "lists packages")]
    if module in _READS or any(fnmatchcase(module, each) for each in _READS_LIKE):
        return [call.finding(Risk.READ, "looks at the machines")]
    if re.search(r"state\s*=\s*['\"]?(absent|removed)", arguments):
        return [call.finding(Risk.DESTRUCTIVE, "removes something")]
    if re.search(r"(?i)\b(query|script)\s*=.*\b(drop|truncate|delete)\b", arguments):
        return [call.finding(Risk.DESTRUCTIVE, "has a query that destroys data")]
    return [call.finding(Risk.CHANGE, f"runs the module {module}")]


def _command(call: Call, module: str, arguments: str) -> list[Finding]:
    if _TEMPLATE.search(arguments):
        return [call.finding(Risk.UNKNOWN, "has a template in its command")]
    line = _CREATES.sub("", f"{arguments} ").strip()
    named = re.match(r"""(?:cmd|_raw_params)=(['"]?)(.*?)\1\s*$""", line, re.DOTALL)
    line = named[2] if named else line
    if not line:
        return [call.finding(Risk.UNKNOWN, "has no command")]
    return [*call.inner.line(literal(line), NOTHING)]


def _uri(call: Call, arguments: str) -> list[Finding]:
    method = re.search(r"""method\s*=\s*['"]?(\w+)""", arguments)
    name = method[1].upper() if method else "GET"
    if re.search(r"\bdest\s*=", arguments):
        return [call.finding(Risk.CHANGE, "writes a file")]
    if name in {"GET", "HEAD", "OPTIONS"}:
        return [call.finding(Risk.READ, "asks a server")]
    return [call.finding(Risk.DESTRUCTIVE if name == "DELETE" else Risk.CHANGE, f"sends {name} to a server")]


_SALT_READS = (
    "test.ping", "test.version", "test.versions", "test.echo", "grains.get", "grains.item", "grains.items",
    "grains.ls",
    "pillar.get", "pillar.item", "pillar.items", "pillar.ls", "status.*", "disk.usage", "disk.inodeusage",
    "disk.percent",
    "service.status", "service.available", "service.get_all", "service.get_running", "service.get_enabled",
    "pkg.list_pkgs", "pkg.version", "pkg.latest_version", "pkg.list_upgrades", "pkg.upgrade_available",
    "network.interfaces", "network.ip_addrs", "network.netstat", "network.ping", "network.active_tcp", "ps.top",
    "ps.get_pid_list", "ps.pgrep", "ps.num_cpus", "ps.virtual_memory", "state.show_*", "file.read", "file.stats",
    "file.file_exists", "file.directory_exists", "file.grep", "file.readdir", "sys.doc", "sys.list_functions",
    "sys.list_modules", "saltutil.running", "saltutil.find_job", "saltutil.is_running", "user.info",
    "user.list_users",
    "group.info", "cron.ls", "cron.list_tab", "mount.active", "mount.fstab", "config.get", "cp.list_master",
    "timezone.get_zone", "ip.get_interface", "hosts.list_hosts", "locate.locate", "log.*",
)  # fmt: skip
_SALT_LINES = frozenset(
    {"cmd.run", "cmd.shell", "cmd.run_all", "cmd.run_stdout", "cmd.run_stderr", "cmd.retcode"}
)
_SALT_DESTROYS = (
    "*.remove",
    "*.purge",
    "*.delete",
    "*.drop*",
    "system.*",
    "file.rmdir",
    "*.absent",
    "lvm.*remove",
)


def salt(call: Call) -> list[Finding]:
    """Judge `salt TARGET FUNCTION…` and `salt-call FUNCTION…`."""
    operands = list(call.parts.operands)
    if call.words[0].shown.rpartition("/")[2] == "salt":
        operands = operands[1:]
    if not operands or operands[0].text is None:
        return [call.finding(Risk.UNKNOWN, "names no function that is known")]
    function, rest = operands[0].text, operands[1:]
    if "," in function:
        return [call.finding(Risk.UNKNOWN, "runs several functions")]
    if function in _SALT_LINES and rest:
        return call.inner.line(rest[0], NOTHING)
    if any(fnmatchcase(function, each) for each in _SALT_READS):
        return [call.finding(Risk.READ, "looks at the machines")]
    if any(fnmatchcase(function, each) for each in _SALT_DESTROYS):
        return [call.finding(Risk.DESTRUCTIVE, f"runs {function}")]
    return [call.finding(Risk.CHANGE, f"runs {function}")]
