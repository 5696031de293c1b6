"""Debuggers that take commands: gdb, bpftrace, jcmd.

Source: the GDB manual, 2.1.2 and the chapters of its commands; bpftrace(8); jcmd(1).
"""

from __future__ import annotations

import re

from cockpit.actions.command import Risk
from cockpit.guard.call import NOTHING, Call
from cockpit.guard.findings import Finding
from cockpit.guard.words import Word, literal

_SHOWS = re.compile(
    r"(thread apply (all|\d+)( -s)? )?(bt|backtrace|where)( (full|-full|-?\d+))*"
    r"|info( [\w$./:-]+)*|thread \d+|threads?"
    r"|frame( \d+)?|f \d+|up( \d+)?|down( \d+)?|list( [\w:.,]+)?|disas(semble)?( [\w+,$/]+)*"
    r"|x(/\d*[a-z]*)? [\w$+*-]+|show( [\w-]+)*|quit|q|detach|help( \w+)*"
    r"|set (pagination|confirm|width|height|print [\w-]+|verbose|style enabled|backtrace limit)( \w+)?"
    r"|set debuginfod enabled \w+"
    r"|p(rint)?(/[a-z])? \$?\w+([.\[\]]\w*|->\w+)*|maint(enance)? info sections"
)
_SHELLS = re.compile(r"(?:shell|!|make|pipe|\|)\s*(.*)", re.DOTALL)
_PYTHON = re.compile(r"(?:python|py|python-interactive|pi)\s+(.*)", re.DOTALL)


def gdb(call: Call) -> list[Finding]:
    """Judge gdb by the commands that it is given; on a core file they may only look."""
    found: list[Finding] = []
    commands = call.values("-ex", "-eval-command", "-iex", "-init-eval-command")
    for command in commands:
        found += _gdb_command(call, command)
    if call.has("-x", "-command", "-ix", "-init-command", "-data-directory", "-D") or call.parts.loose:
        found.append(call.finding(Risk.UNKNOWN, "takes commands that aren't known"))
    if call.has("-p", "-pid") or any((word.text or "").isdigit() for word in call.parts.operands[1:]):
        found.append(call.finding(Risk.CHANGE, "stops a process that runs"))
    elif call.has("-w", "-write"):
        found.append(call.finding(Risk.CHANGE, "may write into a program's file"))
    if not call.has("-batch", "-batch-silent", "-version", "-help"):
        found.append(call.finding(Risk.UNKNOWN, "takes commands from a prompt"))
    return found or [call.finding(Risk.READ, "shows what a program or a core file holds")]


def _gdb_command(call: Call, command: Word) -> list[Finding]:
    if command.text is None:
        return [call.finding(Risk.UNKNOWN, "runs a command that isn't known")]
    text = command.text.strip()
    if _SHOWS.fullmatch(text):
        return []
    if match := _SHELLS.fullmatch(text):
        return call.inner.line(literal(match[1]), NOTHING)
    if match := _PYTHON.fullmatch(text):
        return call.inner.words([literal("python3"), literal("-c"), literal(match[1])], NOTHING)
    return [call.finding(Risk.UNKNOWN, f"runs the debugger's command {text!r}")]


_SYSTEM = re.compile(r'\bsystem\s*\(\s*"((?:[^"\\]|\\.)*)"')


def bpftrace(call: Call) -> list[Finding]:
    """Judge bpftrace: `-l` lists probes; a program may run commands where `--unsafe` lets it."""
    found: list[Finding] = []
    programs = call.values("-e")
    for program in programs:
        for match in _SYSTEM.finditer(program.text or ""):
            found += call.inner.line(literal(match[1]), NOTHING)
    if call.values("-c"):
        found += [each for value in call.values("-c") for each in call.inner.line(value, NOTHING)]
    if call.has("-o", "--emit-elf", "--emit-llvm", "--aot"):
        found.append(call.finding(Risk.CHANGE, "writes a file"))
    if call.has("-l", "--info", "-V", "--version", "-h", "--help") and not programs and not call.parts.loose:
        return found or [call.finding(Risk.READ, "lists probes")]
    return [*found, call.finding(Risk.UNKNOWN, "loads a program into the kernel")]


_JCMD_READS = frozenset(
    {
        "help", "Thread.print", "VM.version", "VM.flags", "VM.command_line", "VM.uptime", "VM.system_properties",
        "VM.native_memory", "VM.info", "VM.metaspace", "VM.classloader_stats", "VM.classloaders", "VM.stringtable",
        "VM.symboltable", "VM.systemdictionary", "VM.dynlibs", "VM.events", "VM.class_hierarchy", "VM.classes",
        "GC.heap_info", "GC.finalizer_info", "GC.class_stats", "PerfCounter.print", "JFR.check", "Compiler.queue",
        "Compiler.codecache", "Compiler.codelist", "Compiler.memory", "ManagementAgent.status", "System.map",
        "Thread.vthread_scheduler", "Thread.vthread_pollers",
    }
)  # fmt: skip


def jcmd(call: Call) -> list[Finding]:
    """Judge `jcmd [-l | PID|CLASS COMMAND…]`."""
    texts = [word.text for word in call.rest]
    if not texts or texts in (["-l"], ["-h"], ["-help"]):
        return [call.finding(Risk.READ, "lists virtual machines")]
    if any(word.many for word in call.rest[:2]) or len(texts) < 2 or texts[1] is None:
        return [call.finding(Risk.UNKNOWN, "names no command that is known")]
    if texts[0] is not None and texts[0].startswith("-"):
        return [call.finding(Risk.UNKNOWN, "takes commands that aren't known")]
    name, rest = texts[1], texts[2:]
    written = any(text is None or text.startswith(("-file", "file", "output")) for text in rest)
    if name in _JCMD_READS and not written and not (name == "VM.native_memory" and _resets(rest)):
        return [call.finding(Risk.READ, "asks a virtual machine")]
    if name == "GC.class_histogram" and rest == ["-all"]:
        return [call.finding(Risk.READ, "asks a virtual machine")]
    return [
        call.finding(Risk.UNKNOWN if "." not in name else Risk.CHANGE, f"has a virtual machine do {name}")
    ]


def _resets(rest: list[str | None]) -> bool:
    return any(text is None or text.startswith(("baseline", "shutdown")) for text in rest)
