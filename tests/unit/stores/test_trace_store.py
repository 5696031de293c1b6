from __future__ import annotations

from hypothesis import given, settings
from msgspec.structs import replace

from cockpit.scope import Scope
from cockpit.signals import SECOND, Span, SpanStatus
from cockpit.source import TraceSummary
from cockpit.stores.traces import Order, TraceStore
from tests.helpers.examples import examples
from tests.helpers.spans import TRACE, big_trace, soups, span

T0 = 1_000_000 * SECOND


def traced(trace_id: str, start: int, length: int, *, failed: bool = False, service: str = "web") -> Span:
    status = SpanStatus.ERROR if failed else SpanStatus.UNSET
    return span(f"{trace_id}1", start, start + length, trace_id=trace_id, status=status, service=service)


def listed(store: TraceStore, scope: Scope, now: int, order: Order = Order.WORST) -> list[str]:
    return [trace.trace_id for trace in store.listing(scope, now, order=order).rows]


def test_a_summary_grows_with_every_span() -> None:
    store = TraceStore()
    store.append([span("child", 20, 60, "root", service="cart", host="h2", status=SpanStatus.ERROR)])
    trace = store.get(TRACE)
    assert trace is not None
    assert (trace.name, trace.service, trace.rooted, trace.incomplete) == ("op child", "cart", False, True)
    store.append([span("root", 10, 50)])
    assert (trace.name, trace.service, trace.rooted, trace.incomplete) == ("op root", "web", True, False)
    assert (trace.start, trace.end, trace.duration) == (10, 60, 50)
    assert (trace.span_count, trace.error_count, trace.first_error) == (2, 1, 60)
    assert trace.services == {"cart": 1, "web": 1}
    assert trace.hosts == {"h2": 1, "h1": 1}


def test_a_span_told_twice_is_one_span_and_the_later_end_stays() -> None:
    store = TraceStore()
    store.append([span("a", 0, 10, status=SpanStatus.ERROR), span("a", 0, 10)])
    store.append([span("a", 0, 30), span("a", 0, 5)])
    trace = store.get(TRACE)
    assert trace is not None
    assert (store.spans, trace.span_count, trace.end, trace.error_count) == (1, 1, 30, 0)
    assert [row.count for row in store.services.table(0, 100)] == [1], "and it counts once in the rates"


def test_the_two_sides_of_a_call_with_one_identifier_are_two_spans() -> None:
    store = TraceStore()
    store.append(
        [span("a", 0, 10, kind="client"), span("a", 2, 8, kind="server"), span("a", 2, 8, kind="server")]
    )
    assert store.spans == 2


def test_failing_then_slowest_first_and_the_other_orders() -> None:
    store = TraceStore()
    store.append(
        [
            traced("fast", T0, 10),
            traced("slow", T0 + 1, 900),
            traced("failed", T0 + 2, 20, failed=True),
            traced("failed slow", T0 + 3, 500, failed=True),
        ]
    )
    scope, now = Scope(), T0 + SECOND
    assert listed(store, scope, now) == ["failed slow", "failed", "slow", "fast"]
    assert store.listing(scope, now, limit=1).failing == 2
    assert listed(store, scope, now, Order.SLOWEST) == ["slow", "failed slow", "failed", "fast"]
    assert listed(store, scope, now, Order.NEWEST) == ["failed slow", "failed", "slow", "fast"]
    store.append([replace(traced("failed", T0, 5, failed=True), span_id="b")])
    assert listed(store, scope, now, Order.ERRORS)[0] == "failed"


def test_window_labels_and_words_decide_what_is_listed() -> None:
    store = TraceStore()
    store.append(
        [
            traced("old", T0 - 3_600 * SECOND, 10),
            traced("web", T0, 10),
            traced("cart", T0, 10, service="cart"),
        ]
    )
    answer = store.listing(Scope(), T0 + SECOND)
    assert (answer.matched, answer.outside) == (2, 1)
    assert listed(store, Scope(service="cart"), T0 + SECOND) == ["cart"]
    assert listed(store, Scope(host="elsewhere"), T0 + SECOND) == []
    assert [t.trace_id for t in store.listing(Scope(), T0 + SECOND, words=["op", "web1"]).rows] == ["web"]
    assert len(store.listing(Scope(), T0 + SECOND, limit=1).rows) == 1


def test_as_of_a_moment_what_had_not_happened_is_not_there() -> None:
    store = TraceStore()
    store.append(
        [
            traced("done", T0, 10),
            traced("running", T0 + 5, 20 * SECOND, failed=True),
            traced("later", T0 + 30 * SECOND, 10),
        ]
    )
    moment = T0 + 10 * SECOND
    then = Scope(cursor=moment)
    assert listed(store, then, T0 + 60 * SECOND) == ["running", "done"]
    running = store.get("running")
    assert running is not None
    assert running.duration_at(moment) == moment - (T0 + 5)
    assert running.errors_at(moment) == 0, "it failed only when it ended"
    assert running.errors_at(moment + 20 * SECOND) == 1


def test_the_trace_heard_of_longest_ago_goes_first_and_the_pinned_one_last() -> None:
    store = TraceStore(spans=10)
    store.append([traced(f"t{number}", T0, 10) for number in range(10)])
    store.append([replace(traced("t0", T0, 10), span_id="more")])
    assert "t1" not in store.trace_ids()
    assert "t0" in store.trace_ids()
    store.pinned = "t2"
    store.append([traced(f"u{number}", T0, 10) for number in range(10)])
    assert "t2" in store.trace_ids()
    assert store.spans == 10


def test_one_huge_trace_is_bounded_and_says_what_it_left_out() -> None:
    store = TraceStore(spans=1_000, largest=400)
    store.append([traced("other", T0, 10)])
    store.append(big_trace(600))
    trace = store.get(TRACE)
    assert trace is not None
    assert (len(trace.spans), trace.refused, trace.incomplete) == (400, 200, True)
    store.append(big_trace(400))
    assert trace.refused > 200
    assert store.get("other") is not None, "it did not drive out the others"


def test_heavy_spans_are_bounded_by_their_size() -> None:
    store = TraceStore(size=1_000_000)
    for number in range(100):
        store.append([replace(traced(f"t{number}", T0, 10), attributes={"blob": "x" * 50_000})])
    assert store.weight <= 1_000_000
    assert 10 < len(store) < 20


def test_the_number_of_traces_is_bounded() -> None:
    store = TraceStore(traces=50)
    store.append([traced(f"t{number}", T0, 10) for number in range(500)])
    store.merge_found([found(f"f{number}") for number in range(500)])
    assert len(store) == 50


def found(trace_id: str, spans: int = 9, *, error: bool = False) -> TraceSummary:
    return TraceSummary(
        trace_id=trace_id,
        root="GET /",
        service="web",
        start=T0,
        duration=700,
        spans=spans,
        error=error,
        source="j",
    )


def test_traces_that_a_search_told_of_are_listed_and_filled_later() -> None:
    store = TraceStore()
    store.append([traced("here", T0, 10)])
    assert store.merge_found([found("there", error=True), found("here", spans=3)]) == 1
    assert listed(store, Scope(), T0 + SECOND) == ["there", "here"]
    here, there = store.get("here"), store.get("there")
    assert here is not None
    assert there is not None
    assert (here.held, here.incomplete, here.expected) == (True, True, 3)
    assert (there.held, there.span_count, there.error_count) == (False, 9, 1)
    store.adopt([traced("there", T0, 50)])
    assert (there.held, there.span_count, there.error_count, there.duration) == (True, 1, 0, 50)
    assert [row.count for row in store.services.table(T0, T0 + SECOND)] == [1], (
        "asked for, so no sample of rates"
    )


@settings(max_examples=examples(50), deadline=None)
@given(soups(), soups())
def test_the_sums_agree_with_the_spans_whatever_comes(first: list[Span], second: list[Span]) -> None:
    store = TraceStore()
    store.append(first)
    store.append(second)
    for trace in store.traces():
        spans = list(trace.spans.values())
        assert trace.span_count == len(spans) == store.spans
        assert trace.error_count == sum(each.status is SpanStatus.ERROR for each in spans)
        assert trace.start <= min(each.start for each in spans)
        assert trace.end >= max(each.end for each in spans)
        if any(not each.parent_id for each in spans):
            assert trace.rooted
        assert store.weight == trace.weight > 0


def test_listing_many_traces_reads_summaries_and_no_span() -> None:
    class Counted(TraceStore):
        pass

    store = Counted(traces=10_000)
    for number in range(10_000):
        store.append([traced(f"{number:032x}", T0 + number, number)])
    for trace in store.traces():
        trace.spans = _Untouchable(trace.spans)
    answer = store.listing(Scope(), T0 + SECOND)
    assert answer.matched == 10_000
    assert len(answer.rows) == 2_000


class _Untouchable(dict[str, Span]):
    def __iter__(self):  # type: ignore[no-untyped-def]
        raise AssertionError("the list walked the spans of a trace")

    values = items = keys = __iter__
