"""The `cockpit` command: reads the command line, hands over to a verb, and says tidily what went wrong.

Nothing heavy is imported here, so that `cockpit --help` answers at once; each verb imports what it needs when it
runs. A verb is a module of `cockpit.verbs` with `add(subparsers)`, which describes it, and `main(args) -> int`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from cockpit import __version__
from cockpit.errors import CockpitError, UsageError
from cockpit.verbs import VERBS
from cockpit.verbs.order import options_first

if TYPE_CHECKING:
    import logging
    from contextlib import AbstractContextManager

INTERRUPTED = 130
PIPE_CLOSED = 141
"""128 and the number of the signal, as shells count."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What writing to a file or terminal fails with; these name no file, as opening one does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        argv: The arguments after the program's name; None takes the process's own.
    """
    args = argparse.Namespace()
    _have_outputs()
    try:
        _read(argv, args)
        with _logging(args.data_dir):
            status: int = args.main(args)
        sys.stdout.flush()
        return status
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except CockpitError as error:
        return _complain(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename is not None:
            return _record(error, getattr(args, "data_dir", None))
        _drop_output()
        return _complain(CockpitError(f"the output can't be written: {error.strerror}"))
    except Exception as error:  # noqa: BLE001  one of the three places that may: the command line's top
        return _record(error, getattr(args, "data_dir", None))


def _read(argv: Sequence[str] | None, args: argparse.Namespace) -> None:
    """Read the command line, describing no more verbs than it takes: all of them cost 20 ms.

    What asks for help, or is no command line of the first verb named, is left to the parser of all.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        brief = parser([word for word in words if word in VERBS][:1], add_help=False)
        vars(args).update(vars(brief.parse_args(words)))
    except UsageError:
        parser().parse_args(words, namespace=args)


def _have_outputs() -> None:
    """Write to nowhere where an output was closed by whoever started this, as `>&-` does.

    Else the next file that is opened would take its number, and what is meant for the output would end up in there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a terminal of another character set shows what it can


def _drop_output() -> None:
    """Let what is still buffered go nowhere, so that Python has nothing to complain of when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def program() -> NoReturn:
    """Run the command line as a program, and leave as soon as that is done.

    Python would wait for every pool's threads, and one may be stuck in a system that does not answer, such as a dead
    mount. And it would look for garbage in all that was imported, though all of it goes: that takes 20 ms.
    """
    import gc
    import threading

    status = main()
    gc.freeze()
    if threading.active_count() > 1:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def parser(named: Sequence[str] = VERBS, *, add_help: bool = True) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        named: The verbs that it knows.
        add_help: Whether it can be asked for help; that of a verb always can.
    """
    top = _screen_parser(add_help=add_help)
    verbs = top.add_subparsers(title="verbs", metavar="VERB", dest="verb", prog=top.prog)
    for name in named:
        module = import_module(f"cockpit.verbs.{name}")
        module.add(verbs)
        verbs.choices[name].set_defaults(main=module.main)
    _accept_everywhere(top, default=None)
    return top


def _screen_parser(*, add_help: bool = True) -> Parser:
    """Return the parser of a command line without a verb, which opens the screen."""
    top = Parser(
        prog="cockpit",
        description="One terminal screen for the person on call. Without a verb, it opens.",
        epilog="`cockpit VERB --help` says more about a verb.",
        allow_abbrev=False,
        add_help=add_help,
    )
    top.add_argument("--version", action="version", version=f"cockpit {__version__}")
    screen = top.add_argument_group("the screen")
    screen.add_argument("--env", metavar="NAME", help="open on this environment, such as production")
    screen.add_argument("--read-only", action="store_true", help="run no command that changes anything")
    screen.add_argument("--incident", metavar="ID", help="record what is done under this incident")
    top.set_defaults(main=_screen)
    return top


class Parser(argparse.ArgumentParser):
    """A parser that takes options anywhere, and whose mistakes are errors of ours, with the nearest valid word."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Read the words, options first."""
        return super().parse_known_args(
            options_first(self, sys.argv[1:] if args is None else args), namespace
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing usage and leaving.

        Raises:
            UsageError: Always.
        """
        message, remedy = self._explain(message)
        raise UsageError(message, remedy=remedy)

    def _explain(self, message: str) -> tuple[str, str]:
        if wrong := re.search(r"argument VERB: invalid choice: '(.*?)' \(choose", message):
            verbs = list(_below(self))
            return f'there is no verb "{wrong[1]}"', _nearest(
                wrong[1], verbs
            ) or f"verbs are {', '.join(verbs)}"
        remedy = f"see {self.prog} --help"
        if wrong := re.match(r"unrecognized arguments: (-\S+)", message):
            remedy = _nearest(wrong[1], _options(self)) or remedy
        return message, remedy


def _below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of a parser's verbs, by name."""
    return {
        name: below
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, below in action.choices.items()
    }


def _options(parser: argparse.ArgumentParser) -> list[str]:
    """Return the options of a parser and of all its verbs."""
    own = [option for action in parser._actions for option in action.option_strings]
    return own + [option for below in _below(parser).values() for option in _options(below)]


def _nearest(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _accept_everywhere(parser: argparse.ArgumentParser, *, default: str | None) -> None:
    """Accept `--config` and `--data-dir` before and after every verb; the last one given counts."""
    group = parser.add_argument_group("where things are")
    group.add_argument(
        "--config", metavar="FILE", default=default, help="the configuration (also COCKPIT_CONFIG)"
    )
    group.add_argument(
        "--data-dir", metavar="DIR", default=default, help="what the cockpit keeps (also COCKPIT_DATA_DIR)"
    )
    for below in _below(parser).values():
        _accept_everywhere(below, default=argparse.SUPPRESS)


def _screen(args: argparse.Namespace) -> int:
    return open_screen(args)


def open_screen(args: argparse.Namespace, *, host: str = "", files: Sequence[str] = ()) -> int:
    """Open the screen. Until it stands, collecting garbage would find none and take a twentieth of the time.

    Args:
        args: The command line.
        host: A host to open a terminal on at once.
        files: Log files to show by themselves.
    """
    import gc

    # Textual reads keys from the one and draws on the other.
    if not (sys.__stdin__ and sys.__stdin__.isatty() and sys.__stderr__ and sys.__stderr__.isatty()):
        raise UsageError("the screen needs a terminal", remedy="without one: cockpit snapshot")
    gc.disable()
    from cockpit.opening import run_screen

    return run_screen(args, host=host, files=files)


def _complain(error: CockpitError) -> int:
    """Print what a person can act on; it may quote what another system said."""
    from cockpit.hygiene import clean_text

    for line in str(error).splitlines():
        print(f"cockpit: {clean_text(line)}", file=sys.stderr)
    return error.exit_status


def _record(error: Exception, data_dir: str | None) -> int:
    """Keep the traceback of what nobody foresaw, and say where."""
    import traceback

    from cockpit.hygiene import clean_text
    from cockpit.locate import data_dir as folder
    from cockpit.logfile import LogFile

    text = "".join(traceback.format_exception(error))
    try:
        log = LogFile(folder(data_dir))
        log.write(log.format(_log_record(text)))
        place = f"; the traceback is in {log.path}"
    except (OSError, CockpitError):
        print(clean_text(text), file=sys.stderr, end="")
        place = ""
    what = clean_text(f"{type(error).__name__}: {error}".splitlines()[0])
    print(f"cockpit: this should not have happened: {what}{place}", file=sys.stderr)
    return 1


def _log_record(text: str) -> logging.LogRecord:
    import logging

    return logging.LogRecord(__name__, logging.CRITICAL, __file__, 0, text, None, None)


def _logging(data_dir: str | None) -> AbstractContextManager[object]:
    """Keep what is logged in the cockpit's own log, for the length of a block."""
    from cockpit.locate import data_dir as folder
    from cockpit.logfile import kept_in

    try:
        return kept_in(folder(data_dir))
    except CockpitError:  # nowhere to keep it; the verb says so, if that matters to it
        return contextlib.nullcontext()
