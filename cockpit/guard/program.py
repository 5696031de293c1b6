"""Judges a program's call, given as words, by the rule of that program.

What a rule does not say is not assumed: an unknown subcommand, a word that may turn out to be an option with an
effect, or a program without a rule make the call unknown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from cockpit.actions.command import Risk
from cockpit.guard.call import Call, Inner, Input, Language
from cockpit.guard.findings import Finding, rank
from cockpit.guard.options import Form, Option, Split, split
from cockpit.guard.own_rules import OwnRules
from cockpit.guard.ruleset import Effect, OperandEffect, Rule, Ruleset, Syntax
from cockpit.guard.words import Word, literal, shown
from cockpit.guard.wrappers import FOLDERS, wrapped

OWN_FOLDERS = re.compile(
    r"/opt/(bitnami/)?(kafka|confluent|zookeeper|cassandra|rabbitmq|redis|mssql-tools|puppetlabs|postgresql|mysql|mariadb"
    r"|mongodb)[\w-]*(\.[\w-]+)*/s?bin|/usr/lib/postgresql/\d+/bin|/usr/pgsql-\d+/bin|/usr/lib/jvm/[\w-]+(\.[\w-]+)*/bin"
    r"|/usr/lib/rabbitmq/bin"
)
"""Where packages put their programs besides."""
SCRIPTS = re.compile(r"(kafka-[a-z-]+|zookeeper-shell)\.sh")
"""Programs that are called as `bin/NAME` from their package's folder, as their manuals do."""
SERVICES = frozenset({"/etc/init.d", "/etc/rc.d/init.d"})
"""Where a service's script is what `service` runs."""
LOOK_AHEAD = 8
"""Words behind an unknown program's name that are looked at for a program that it may run."""
DOUBTS = 3
"""Options before a subcommand, not listed, each of which may or may not take the next word."""


class Programs:
    """Judges programs by their rules.

    Args:
        rules: What is known of programs.
        language: Finds the judge of a language by its name.
        own: The rules that users added.
    """

    def __init__(
        self, rules: Ruleset, language: Callable[[str], Language], own: OwnRules | None = None
    ) -> None:
        self._rules = rules
        self._language = language
        self._own = own or OwnRules()

    def judge(self, words: Sequence[Word], given: Input, inner: Inner) -> list[Finding]:
        """Judge a call, which has at least one word."""
        return self._own.apply(words, self._judge(words, given, inner))

    def _judge(self, words: Sequence[Word], given: Input, inner: Inner) -> list[Finding]:
        first = words[0]
        if first.text is None or first.glob:
            why = "names a program that isn't known before it runs"
            return [Finding(risk=Risk.UNKNOWN, part=shown(words), why=why), *self._ahead(words, given, inner)]
        folder, name = posixpath.split(first.text)
        if folder in SERVICES:
            words = [literal("service"), literal(name), *words[1:]]
            folder, name = "", "service"
        rule = self._rules.find(name)
        if rule is None:
            why = f"runs {name or first.raw!r}, which no rule knows"
            return [Finding(risk=Risk.UNKNOWN, part=shown(words), why=why), *self._ahead(words, given, inner)]
        found = _Judgement(words, given, inner, self._language).by(rule)
        if folder and folder not in FOLDERS and not _is_its_own(folder, name):
            why = f"runs a file in {folder}, which may be anything"
            found.append(Finding(risk=Risk.UNKNOWN, part=first.shown, why=why))
        return found

    def _ahead(self, words: Sequence[Word], given: Input, inner: Inner) -> list[Finding]:
        """Look for what an unknown program may run: of that, only what is worse than unknown counts."""
        for index in range(1, min(len(words), LOOK_AHEAD)):
            text = words[index].text
            if text is None or words[index].glob or self._rules.find(posixpath.basename(text)) is None:
                continue
            worse = [
                each for each in inner.words(words[index:], given) if rank(each.risk) > rank(Risk.UNKNOWN)
            ]
            if worse:
                return worse
        return []


class _Judgement:
    """One call, judged by one program's rule."""

    def __init__(
        self, words: Sequence[Word], given: Input, inner: Inner, language: Callable[[str], Language]
    ) -> None:
        self._words = tuple(words)
        self._given = given
        self._inner = inner
        self._language = language

    def by(self, rule: Rule) -> list[Finding]:
        """Judge the whole call."""
        if _asks_for_help(rule, self._words):
            return [self._finding(Risk.READ, "prints help", rule)]
        return self._from(rule, Form().under(rule), 1, [], 0)

    def _from(self, rule: Rule, form: Form, at: int, before: list[Option], doubts: int) -> list[Finding]:
        """Judge from the word behind a rule's name on."""
        if not rule.sub:
            return self._whole(rule, form, at, before)
        words = self._words[at:]
        parts = split(words, form, first_only=True)
        if not parts.operands:
            return self._whole(rule, form, at, before)
        place = parts.at[0]
        if rule.apart and self._only_reads(form, parts.options, parts):
            return [self._finding(Risk.READ, "only shows what it would do", rule)]
        found = self._sub(rule, form, at + place, before + parts.options, doubts)
        if rule.apart:
            found += self._apart(rule, form, words[:place], replace(parts, operands=[]))
        found += self._open(rule, form, parts.loose)
        if parts.doubtful and place:
            # The word may be an option's value, and the subcommand come after it.
            found += (
                self._from(rule, form, at + place + 1, before + parts.options, doubts + 1)
                if doubts < DOUBTS
                else [self._finding(Risk.UNKNOWN, "has options that no rule knows", rule)]
            )
        return found

    def _before_verb(
        self, rule: Rule, form: Form, at: int, before: list[Option], doubts: int
    ) -> list[Finding]:
        """Go on behind a word that is no verb: a group, or what no rule knows."""
        found = []
        text = self._words[at].shown
        if rule.groups and not any(fnmatchcase(text, each) for each in rule.groups):
            found.append(self._finding(Risk.UNKNOWN, f"has {text!r}, which no rule knows", rule))
        if at + 1 < len(self._words):
            return found + self._from(rule, form, at + 1, before, doubts)
        return [*found, self._finding(Risk.UNKNOWN, "has no verb that a rule knows", rule)]

    def _apart(self, rule: Rule, form: Form, words: tuple[Word, ...], parts: Split) -> list[Finding]:
        """Judge the options before a subcommand, which mean nothing behind it."""
        found = [each for option in parts.options for each in self._option(rule, form, option)]
        return found + (self._language(rule.language)(self._call(words, parts)) if rule.language else [])

    def _sub(self, rule: Rule, form: Form, at: int, before: list[Option], doubts: int) -> list[Finding]:
        """Judge by the subcommand at a place."""
        word = self._words[at]
        if word.text is None or word.glob:
            return [self._finding(Risk.UNKNOWN, f"has a subcommand that isn't known: {word.raw}", rule)]
        below = rule.below(word.text)
        if below is None and rule.verbs:
            return self._before_verb(rule, form, at, before, doubts)
        if below is None:
            return [
                self._finding(Risk.UNKNOWN, f"has the subcommand {word.text!r}, which no rule knows", rule)
            ]
        if _is_help(self._words[at + 1 :], form):
            return [self._finding(Risk.READ, "prints help", rule)]
        if rule.apart:
            return self._from(below, Form(syntax=form.syntax).under(below), at + 1, [], doubts)
        return self._from(below, form.under(below), at + 1, before, doubts)

    def _whole(self, rule: Rule, form: Form, at: int, before: list[Option]) -> list[Finding]:
        """Judge by a rule without subcommands: its base, options, operands, language and what it runs."""
        rest = self._words[at:]
        parts = split(rest, form)
        options = before + parts.options
        if self._only_reads(form, options, parts):
            always = [each for option in options for each in self._option(rule, form, option, always=True)]
            if rule.always:
                always += self._language(rule.language)(self._call(rest, replace(parts, options=options)))
            return [self._finding(Risk.READ, "only shows what it would do", rule), *always]
        found: list[Finding] = []
        if rule.risk is not None:
            undo = rule.undo.replace("{operands}", shown(parts.operands))
            found.append(self._finding(rule.risk, rule.why or _GENERAL[rule.risk], rule, undo=undo, at=at))
        found += [each for option in options for each in self._option(rule, form, option)]
        found += self._operands(rule, parts)
        found += self._open(rule, form, parts.loose)
        call = self._call(rest, replace(parts, options=options))
        if rule.language:
            found += [self._previewed(each, rule, at) for each in self._language(rule.language)(call)]
        if rule.wraps is not None:
            found += wrapped(call, rule.wraps)
        if not found:
            found.append(self._finding(Risk.UNKNOWN, "has no subcommand", rule))
        return found

    def _call(self, rest: tuple[Word, ...], parts: Split) -> Call:
        return Call(words=self._words, rest=rest, parts=parts, given=self._given, inner=self._inner)

    def _previewed(self, finding: Finding, rule: Rule, at: int) -> Finding:
        """Add the dry run that a rule knows to what the judge of its language found about the call itself."""
        if finding.risk is Risk.READ or finding.preview or finding.part != shown(self._words):
            return finding
        return replace(finding, preview=_preview(rule, self._words, at))

    def _only_reads(self, form: Form, options: list[Option], parts: Split) -> bool:
        """Return whether an option makes it only read, and nothing that isn't known may take that back."""
        if not form.reads or parts.loose:
            return False
        wanted = {each.partition("=")[0] for each in form.reads}
        given = [option for option in options if wanted & set(option.names)]
        if any(_takes_back(name, wanted) for option in options for name in option.names):
            return False
        certain = any(not _may_be_value(option, options, self._words) for option in given)
        return certain and all(_is_read(form, option) for option in given)

    def _option(self, rule: Rule, form: Form, option: Option, *, always: bool = False) -> list[Finding]:
        found = []
        for name in option.names:
            effect = form.effects.get(name)
            if effect is not None and (effect.always or not always):
                found += self._effect(rule, name, effect, option.value)
        if rule.strict and not option.listed and not always:
            found.append(
                self._finding(Risk.UNKNOWN, f"has the option {option.names[0]}, which no rule knows", rule)
            )
        return found

    def _effect(self, rule: Rule, name: str, effect: Effect, value: Word | None) -> list[Finding]:
        risk = effect.risk
        text = None if value is None or value.glob else value.text
        if effect.values and text is not None:
            risk = next((each for key, each in effect.values.items() if fnmatchcase(text, key)), risk)
        if risk is Risk.READ:
            return []
        return [self._finding(risk, f"with {name} {effect.why or _GENERAL[risk]}", rule)]

    def _operands(self, rule: Rule, parts: Split) -> list[Finding]:
        return [
            self._finding(effect.risk if known else Risk.UNKNOWN, effect.why or _GENERAL[effect.risk], rule)
            for effect in rule.operands
            if (known := _applies(effect, parts.operands)) is not False
        ]

    def _open(self, rule: Rule, form: Form, loose: Sequence[Word]) -> list[Finding]:
        """Judge words that may turn out to be options or operands with an effect."""
        loose = [word for word in loose if not (rule.named and word.is_named)]
        base = rule.risk or Risk.READ
        risky = any(
            rank(_worst(effect)) > rank(base) for effect in form.effects.values() if not effect.certain
        )
        if not loose or not (risky or any(rank(each.risk) > rank(base) for each in rule.operands)):
            return []
        why = f"has words that may be options: {shown(loose)}"
        return [self._finding(Risk.UNKNOWN, why, rule)]

    def _finding(self, risk: Risk, why: str, rule: Rule, *, undo: str = "", at: int = 0) -> Finding:
        preview = _preview(rule, self._words, at) if at else ()
        return Finding(risk=risk, part=shown(self._words), why=why, undo=undo, preview=preview)


_GENERAL = {
    Risk.READ: "reads",
    Risk.CHANGE: "changes something",
    Risk.DESTRUCTIVE: "destroys something",
    Risk.UNKNOWN: "does what no rule can tell",
}


def _is_its_own(folder: str, name: str) -> bool:
    """Return whether a folder is one where a package has its programs."""
    if OWN_FOLDERS.fullmatch(folder):
        return True
    return folder in {"bin", "./bin"} and SCRIPTS.fullmatch(name) is not None


def _asks_for_help(rule: Rule, words: Sequence[Word]) -> bool:
    return rule.syntax is not Syntax.NONE and rule.wraps is None and _is_help(words[1:], Form().under(rule))


def _is_help(rest: Sequence[Word], form: Form) -> bool:
    if len(rest) != 1:
        return False
    short = form.syntax in {Syntax.PFLAG, Syntax.SINGLE} and not form.lists("-h")
    return rest[0].text in {"--help", "--version"} or (short and rest[0].text in {"-h", "-help"})


def _may_be_value(option: Option, options: Sequence[Option], words: Sequence[Word]) -> bool:
    """Return whether an option stands right behind one that isn't listed, which may take it for its value."""
    at = next((index for index, word in enumerate(words) if word is option.word), 0)
    ahead = [each for each in options if at and each.word is words[at - 1]]
    if not ahead or words[at - 1].start[1:].isdigit():
        return False
    return not ahead[-1].listed and ahead[-1].value is None


def _takes_back(name: str, wanted: set[str]) -> bool:
    """Return whether an option is the opposite of another: `--no-dry-run`, which may be shortened."""
    return len(name) > len("--no-") and any(f"--no-{each.lstrip('-')}".startswith(name) for each in wanted)


def _is_read(form: Form, option: Option) -> bool:
    value = option.value.text if option.value is not None else None
    if option.value is None:
        return any(name in form.reads for name in option.names)
    given = [f"{name}={value}" for name in option.names]
    return value is not None and any(fnmatchcase(each, known) for each in given for known in form.reads)


def _applies(effect: OperandEffect, operands: Sequence[Word]) -> bool | None:
    """Return whether an effect of operands applies; None where that isn't known."""
    looked = operands if effect.at < 0 else operands[effect.at : effect.at + 1]
    if not effect.match:
        if len(looked) >= effect.least:
            return True
        # A word that may become several may be as many as are needed.
        return None if any(word.many for word in operands[: effect.at + 1 or None]) else False
    fits = [_matches(effect, word) for word in looked]
    if True in fits:
        return True
    return None if None in fits else False


def _matches(effect: OperandEffect, word: Word) -> bool | None:
    if word.text is None:
        stems = [pattern.partition("*")[0] for pattern in effect.match]
        open_ended = any(
            not stem or stem.startswith(word.start) or word.start.startswith(stem) for stem in stems
        )
        return None if open_ended else False
    return any(fnmatchcase(word.text, pattern) for pattern in effect.match)


def _worst(effect: Effect) -> Risk:
    return max([effect.risk, *effect.values.values()], key=rank)


def _preview(rule: Rule, words: Sequence[Word], at: int) -> tuple[str, ...]:
    """Return the command that shows what a call would do, where all of its words are known."""
    if rule.preview is None or any(word.text is None or word.glob for word in words):
        return ()
    texts = [word.text or "" for word in words]
    head, tail = texts[:at], texts[at:]
    if rule.preview.sub:
        head[-1] = rule.preview.sub
    return (*head, *rule.preview.add, *tail)
