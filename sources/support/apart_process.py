"""The process that parses lines for a source whose files are busy: `python -m sources.support.apart_process`.

It reads jobs from its standard input and answers each, in order, on its standard output. It opens no file and ends
when its input does, which is when the cockpit ends, however that ends.
"""

from __future__ import annotations

import re
from typing import BinaryIO

import msgspec

from cockpit.formats.multiline import Joiner
from cockpit.formats.stream import LineParser
from cockpit.hygiene import clean
from cockpit.ours import served
from cockpit.signals import LogRecord
from sources.support.apart_wire import LENGTH, Job, Part, Setup, framed, part_of
from sources.support.followed import Block, Followed

NICE = 2
"""Whoever looks at the screen comes first where cores are few."""


def main() -> None:
    """Serve until the input ends."""
    served(serve, nice=NICE)


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Answer jobs until there are no more."""
    said = _message(jobs)
    if said is None:
        return
    setup = msgspec.msgpack.decode(said, type=Setup)
    start = re.compile(setup.start) if setup.start else None
    files: dict[int, Followed] = {}
    decoder = msgspec.msgpack.Decoder(Job)
    _tell(answers, Part())
    while (said := _message(jobs)) is not None:
        job = decoder.decode(said)
        if job.leave:
            files.pop(job.number, None)
            continue
        file = files.get(job.number)
        if file is None:
            joiner = Joiner(start, enabled=setup.joined)
            file = files[job.number] = Followed("", LineParser(), joiner)
        if job.held is not None:
            file.joiner.held = job.held
        _answer(answers, file, job)


def _answer(answers: BinaryIO, file: Followed, job: Job) -> None:
    file.feed(Block(job.data, last=job.last))
    for records in file.ready(job.now):
        cleaned = [record for record in clean(records)[0] if isinstance(record, LogRecord)]
        answers.write(framed(part_of(cleaned, None)))
    _tell(answers, Part(held=file.joiner.held))


def _tell(answers: BinaryIO, part: Part) -> None:
    answers.write(framed(part))
    answers.flush()


def _message(jobs: BinaryIO) -> bytes | None:
    """Return the next message, or None at the end of the input."""
    head = jobs.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    size: int = LENGTH.unpack(head)[0]
    data = jobs.read(size)
    return data if len(data) == size else None


if __name__ == "__main__":
    main()
