"""Reading a record's fields alone tells the same as reading all of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cockpit.formats.catalogue import known_formats
from cockpit.formats.times import Zone
from cockpit.signals import host_of, service_of

FORMATS = known_formats(Zone("UTC"))
LINES = st.sampled_from(
    [
        "Jan  5 10:00:00 web-1 sshd[12]: error: refused trace_id=0123456789abcdef0123456789abcdef",
        "2026-01-01T00:00:00Z ERROR it broke",
        '{"time":"2026-01-01T00:00:00Z","level":"info","msg":"m","service":"s","status":200}',
        'ts=2026-01-01T00:00:00Z level=warn msg="slow" host=h',
        '10.0.0.1 - bob [05/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 500 12',
        "2026-01-01 00:00:00.123 UTC [7] LOG:  checkpoint",
        "E0105 10:00:00.000000 1 a.go:7] failed",
        "2026-01-01T00:00:00.1Z stdout F ERROR inside",
    ]
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.text(max_size=30), st.booleans())
def test_fields_are_those_of_the_record(line: str, more: str, before: bool) -> None:
    text = f"{more}{line}" if before else f"{line}{more}"
    for known in FORMATS:
        record, said = known.record(text, observed=0), known.fields(text)
        assert (record.body, record.attributes, record.trace_id, record.span_id) == (
            said.body, said.attributes, said.trace_id, said.span_id
        )  # fmt: skip
        assert (service_of(record.resource), host_of(record.resource)) == (said.service, said.host)
