"""Nothing that is typed at a prompt is recorded as it is typed; the line is, in one piece."""

from __future__ import annotations

from cockpit.shells.marks import Mark, MarkKind
from cockpit.shells.recording import PromptRecording


def played(*parts: bytes | Mark) -> bytes:
    recording = PromptRecording(lambda line: line.replace("S3cret", "[redacted:flag]"))
    return b"".join(
        recording.printed(part) if isinstance(part, bytes) else recording.marked(part) for part in parts
    )


AGAIN = (Mark(MarkKind.PROMPT), b"$ ", Mark(MarkKind.EDITING))
PROMPT = (Mark(MarkKind.READY, "0"), *AGAIN)
STARTED = Mark(MarkKind.STARTED)


def test_a_line_is_recorded_in_one_piece_without_its_secret() -> None:
    typed = (b"m", b"ysql -pS3", b"x\b\x1b[Kcret\r\n", Mark(MarkKind.LINE, "mysql -pS3cret"), STARTED)
    assert played(*PROMPT, *typed, b"Welcome\r\n") == b"$ mysql -p[redacted:flag]\r\nWelcome\r\n"


def test_what_was_typed_and_given_up_is_not_recorded() -> None:
    assert played(*PROMPT, b"mysql -pS3cret^C\r\n", *PROMPT) == b"$ \r\n$ "


def test_a_prompt_that_is_drawn_anew_is_recorded_once() -> None:
    again = (b"ls", *AGAIN, b"ls\r\n", Mark(MarkKind.LINE, "ls"), STARTED)
    assert played(*PROMPT, *again) == b"$ ls\r\n"


def test_a_line_of_several_is_drawn_as_such() -> None:
    typed = (b"...", Mark(MarkKind.LINE, "for i in 1\ndo :\ndone"), STARTED)
    assert played(*PROMPT, *typed) == b"$ for i in 1\r\ndo :\r\ndone\r\n"


def test_without_marks_all_is_recorded() -> None:
    assert played(b"# ls\r\n", b"file\r\n") == b"# ls\r\nfile\r\n"


def test_a_prompt_that_a_program_prints_hides_nothing_of_it() -> None:
    ran = (*PROMPT, Mark(MarkKind.LINE, "sh"), STARTED)
    assert played(*ran, b"one\r\n", *AGAIN, b"two\r\n") == b"$ sh\r\none\r\n$ two\r\n"


def test_what_is_too_long_for_a_line_is_recorded() -> None:
    flood = b"x" * 65536
    assert played(*PROMPT, *[flood] * 6).count(b"x") >= 65536
