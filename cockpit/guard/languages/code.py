"""Code that is given to an interpreter or an editor.

Such code may do anything, so it isn't known, unless it is of the few forms that can only read: a Perl one-liner or a
Python expression made of names that are listed here. Of code that isn't known, what is plainly destructive counts.

Source: the manuals of Perl 5.40, of Python 3.13 and its modules, of Vim 9 and GNU Emacs 29.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from cockpit.actions.command import Risk
from cockpit.guard.call import ANYTHING, NOTHING, Call
from cockpit.guard.findings import Finding, rank
from cockpit.guard.words import Word, literal

_DESTROYS = re.compile(
    r"\b(rmtree|remove_tree|unlink|unlinkSync|rmSync|rmdirSync|removedirs|rm_rf|rm_r|rm_f|truncate|truncateSync"
    r"|delete-file|delete-directory|rimraf|file_delete)\b"
    r"|\b(os|File|FileUtils|Dir|shutil|Path\([^)]*\)|fs)\.(remove|delete|rm|unlink|rmdir)\b"
    r"|\bdelete\(\s*['\"]|\bfile delete\b"
)
_WRITES = re.compile(
    r"open\([^)]*,\s*['\"][wax+]|open\w*\s*\(?[^;]*['\"]\s*\+?>|\.write\(|write_text|write_bytes|writeFile"
    r"|file_put_contents|save-buffer|write-region|os\.(rename|kill|chmod|chown|mkdir|makedirs)\b|\bw(rite)?!"
)
_STRING = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`", re.DOTALL)
_EMBEDDED = (
    "-e",
    "-E",
    "-c",
    "-r",
    "-p",
    "-B",
    "-R",
    "--eval",
    "-eval",
    "--print",
    "--run",
    "--expression",
    "--execute",
)


def plain(call: Call, texts: Sequence[Word]) -> list[Finding]:
    """Return what is plainly worse than unknown in code."""
    found: list[Finding] = []
    for word in texts:
        text = word.text or ""
        if _DESTROYS.search(text):
            found.append(call.finding(Risk.DESTRUCTIVE, "has code that removes files"))
        elif _WRITES.search(text):
            found.append(call.finding(Risk.CHANGE, "has code that writes"))
        for match in _STRING.finditer(text):
            line = next((each for each in match.groups() if each), "")
            found += [each for each in call.inner.line(literal(line), ANYTHING) if rank(each.risk) > 1]
    return found


_VERSION = frozenset({"-v", "-V", "--version", "-version", "-fullversion"})
_CHECKS = {
    "ruby": frozenset({"-c", "-w"}),
    "php": frozenset({"-l", "--syntax-check", "-n"}),
    "node": frozenset({"-c", "--check"}),
}
"""Options with which a script's grammar is checked, and it doesn't run."""


_ASKS = {
    "php": frozenset({"-m", "-i", "--ini", "--modules", "--info", "-n"}),
}
"""Options with which an interpreter tells about itself."""
_PROCESS = r"process\.(version|versions(\.\w+)?|platform|arch|uptime\(\))"
_TELLS = {
    "node": re.compile(rf"{_PROCESS}|console\.log\({_PROCESS}\)"),
    "ruby": re.compile(
        r"(puts|print|p) (RUBY_(VERSION|PLATFORM|ENGINE|PATCHLEVEL)|Gem::VERSION|Time\.now(\.\w+)?)"
    ),
    "php": re.compile(
        r"(echo|print) ?(PHP_\w+|phpversion\(\)|ini_get\((['\"])[\w.]+\3\)|time\(\))|phpinfo\(\d*\)"
    ),
}
"""Code by which an interpreter tells about itself."""


def _tells(call: Call, texts: Sequence[Word]) -> bool:
    """Return whether code only has the interpreter tell about itself."""
    name = (call.words[0].text or "").rpartition("/")[2]
    pattern = next((each for key, each in _TELLS.items() if name.startswith(key)), None)
    given = {each for option in call.parts.options for each in option.names}
    if pattern is None or call.parts.loose or call.parts.operands or not given <= {"-e", "-p", "-r", "-n"}:
        return False
    return bool(texts) and all(pattern.fullmatch((word.text or "").strip().rstrip("; ")) for word in texts)


def _shows(call: Call) -> bool:
    """Return whether a version is printed or a script's grammar checked, and nothing else."""
    name = (call.words[0].text or "").rpartition("/")[2]
    given = {each for option in call.parts.options for each in option.names}
    if call.parts.loose or not given:
        return False
    checks = next((each for key, each in _CHECKS.items() if name.startswith(key)), frozenset())
    asks = next((each for key, each in _ASKS.items() if name.startswith(key)), frozenset())
    if given <= asks and given != {"-n"} and not call.parts.operands:
        return True
    return (given <= _VERSION and not call.parts.operands) or (given <= checks and bool(call.parts.operands))


def code(call: Call) -> list[Finding]:
    """Judge an interpreter: what it runs isn't known, whether it is given as a word, a file or input."""
    if _shows(call):
        return [call.finding(Risk.READ, "prints its version, or checks a script's grammar")]
    texts = call.values(*_EMBEDDED)
    if _tells(call, texts):
        return [call.finding(Risk.READ, "tells about itself")]
    if call.given.text and call.given != NOTHING:
        texts.append(literal(call.given.text))
    return [call.finding(Risk.UNKNOWN, "runs code, which may do anything"), *plain(call, texts)]


def editor(call: Call) -> list[Finding]:
    """Judge the commands that an editor is given: a line behind `!`, or code."""
    if call.has("--version") and not call.parts.operands:
        return [call.finding(Risk.READ, "prints its version")]
    texts = call.values("-c", "--cmd", "--eval", "-eval", "--execute", "-execute")
    texts += [literal(word.text[1:]) for word in call.parts.operands if word.text and word.text[0] == "+"]
    if call.given.text and call.given != NOTHING:
        texts.append(literal(call.given.text))
    found = plain(call, texts)
    for word in texts:
        for line in re.findall(r"(?m)(?:^|[|:\s%])!\s*(.+)$", word.text or ""):
            found += [each for each in call.inner.line(literal(line), ANYTHING) if rank(each.risk) > 1]
    return found
