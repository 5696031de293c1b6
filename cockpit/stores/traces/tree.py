"""One trace as a tree, laid out in columns so that 80,000 spans are built in slices and drawn by the row.

Spans come as a soup: parents may be missing, told twice, or each other's. Whatever comes, each span becomes exactly
one row. Rows are in pre-order (a span, then its subtree), so a subtree is a range of rows.

Clocks of hosts disagree. A span on another clock than its parent is moved where it can't have been then: it starts
before its parent, or it is the server's side of a call and doesn't lie within the client's, which waited for it.
It goes where Jaeger's clock skew adjuster puts it (jaegertracing/jaeger, `clockskew.go`): into the middle of its
parent, so that the way there and the way back take equally long, or to the parent's start when it lasted longer.
Its own subtree on the same clock moves along. Jaeger moves any span that doesn't fit into its parent; that would hide
work that goes on after an answer, so what merely comes late stays, as in Zipkin. Moved rows are marked, and the spans
keep the times they told.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from cockpit.signals import Span, SpanStatus, host_of, service_of
from cockpit.stores.traces.critical import Stretch, critical_path

PAUSE = 1_000
"""Rows done between two chances to do something else: well under 8 ms of work."""
BUCKETS = 256
"""Columns of the overview."""
QUEUES = ("consumer",)
"""Kinds that rightly start after their parent ended."""


class TraceTree:
    """A trace's rows in pre-order; all columns have the same length.

    Attributes:
        spans: The spans.
        depth: 0 for a top row.
        parent: The parent's row, or -1.
        size: Rows of the subtree, itself among them.
        start: Start in nanoseconds, moved where clocks disagree.
        end: End, moved likewise.
        own: Nanoseconds in which none of its children ran.
        errors: Rows with an error status, ascending.
        failing: Errors in each row's subtree, itself among them.
        moved: Nanoseconds by which a row was moved, where it was.
        orphans: Top rows whose parent is missing.
        looped: Top rows that were in a cycle of parents.
        root: The row that stands for the trace: of the top rows the one that lasted longest, true roots first.
        path: Critical stretches by row.
        first: The earliest start.
        last: The latest end.
        overview: How many spans ran in each of 256 equal parts of the trace.
        services: Services in the order of rows.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.depth: list[int] = []
        self.parent: list[int] = []
        self.size: list[int] = []
        self.start: list[int] = []
        self.end: list[int] = []
        self.own: list[int] = []
        self.errors: list[int] = []
        self.failing: list[int] = []
        self.moved: dict[int, int] = {}
        self.orphans: set[int] = set()
        self.looped: set[int] = set()
        self.root = -1
        self.path: dict[int, list[Stretch]] = {}
        self.first = 0
        self.last = 0
        self.overview: list[int] = [0] * BUCKETS
        self.services: dict[str, int] = {}
        self._row_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def duration(self) -> int:
        """Nanoseconds from the first start to the last end."""
        return self.last - self.first

    def row_of(self, span_id: str) -> int | None:
        """Return the row of a span, or None; of two with one identifier, the first."""
        return self._row_of.get(span_id)

    def children(self, row: int) -> Iterator[int]:
        """Yield the rows right below a row."""
        child, after = row + 1, row + self.size[row]
        while child < after:
            yield child
            child += self.size[child]

    def ancestors(self, row: int) -> Iterator[int]:
        """Yield the rows above a row, the nearest first."""
        row = self.parent[row]
        while row >= 0:
            yield row
            row = self.parent[row]

    def is_last_child(self, row: int) -> bool:
        """Tell whether no sibling follows."""
        parent = self.parent[row]
        after = len(self.spans) if parent < 0 else parent + self.size[parent]
        return row + self.size[row] >= after

    def critical_time(self, row: int) -> int:
        """Return the nanoseconds of a row's own work that are on the critical path."""
        return sum(end - start for start, end in self.path.get(row, ()))


def build(spans: Sequence[Span]) -> TraceTree:
    """Build a tree in one go."""
    steps = build_steps(spans)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            tree: TraceTree = done.value
            return tree


def build_steps(spans: Sequence[Span]) -> Generator[None, None, TraceTree]:
    """Build a tree, pausing every few milliseconds for whoever shares the thread."""
    tree = TraceTree()
    if not spans:
        return tree
    parents = yield from _parents(spans)
    order: list[int] = []
    starts = [span.start for span in spans]
    for low in range(0, len(spans), PAUSE * 8):
        order += range(low, min(low + PAUSE * 8, len(spans)))
        order.sort(key=starts.__getitem__)  # of two sorted runs: one linear merge
        yield
    tops, children = yield from _families(order, parents)
    layout = _Layout(tree, spans, parents, children)
    for top in tops:
        yield from layout.place(top)
    for number in order:
        if not layout.placed[number]:
            row = len(tree.spans)
            yield from layout.place(number)
            tree.looped.add(row)
    yield from _measure(tree)
    yield from _sum_up(tree)
    _choose_root(tree)
    tree.path = yield from critical_path(tree.root, tree.start, tree.end, tree.size)
    return tree


def _parents(spans: Sequence[Span]) -> Generator[None, None, list[int]]:
    """Find each span's parent by number; -1 for none, -2 for one that is missing.

    A call's two sides may share one identifier (Zipkin): then the server side is the client side's child, and what
    names that identifier as its parent is the server side's.
    """
    by_id: dict[str, int] = {}
    shared: dict[int, int] = {}
    for number, span in enumerate(spans):
        other = by_id.setdefault(span.span_id, number)
        if other != number:
            if span.kind in ("server", "consumer"):
                shared[number] = other
                by_id[span.span_id] = number
            else:
                shared.setdefault(other, number)
        if number % PAUSE == PAUSE - 1:
            yield
    parents = []
    for number, span in enumerate(spans):
        if number in shared:
            parents.append(shared[number])
        elif not span.parent_id:
            parents.append(-1)
        else:
            parents.append(by_id.get(span.parent_id, -2))
        if number % PAUSE == PAUSE - 1:
            yield
    return parents


def _families(
    order: Sequence[int], parents: Sequence[int]
) -> Generator[None, None, tuple[list[int], dict[int, list[int]]]]:
    """Return the top spans and every parent's children, each in the order of their starts."""
    tops: list[int] = []
    children: dict[int, list[int]] = {}
    for count, number in enumerate(order):
        parent = parents[number]
        if parent < 0:
            tops.append(number)
        elif parent in children:
            children[parent].append(number)
        else:
            children[parent] = [number]
        if count % PAUSE == PAUSE - 1:
            yield
    return tops, children


class _Layout:
    """Puts spans into rows, a subtree at a time."""

    def __init__(
        self, tree: TraceTree, spans: Sequence[Span], parents: Sequence[int], children: dict[int, list[int]]
    ) -> None:
        self.tree = tree
        self.spans = spans
        self.parents = parents
        self.children = children
        self.placed = bytearray(len(spans))
        self._clocks: dict[int, str] = {}
        self._since = 0

    def place(self, top: int) -> Generator[None, None, None]:
        """Lay out the subtree of a top span, itself first."""
        tree = self.tree
        if self.parents[top] == -2:
            tree.orphans.add(len(tree.spans))
        span = self.spans[top]
        self.placed[top] = 1
        waiting: list[tuple[int, int, int]] = [(top, -1, 0)]
        while waiting:
            number, parent, delta = waiting.pop()
            span = self.spans[number]
            row = len(tree.spans)
            tree.spans.append(span)
            tree.parent.append(parent)
            tree.depth.append(tree.depth[parent] + 1 if parent >= 0 else 0)
            tree.start.append(span.start + delta)
            tree.end.append(max(span.start, span.end) + delta)
            if delta:
                tree.moved[row] = delta
            kids = self.children.get(number)
            if kids is not None:
                yield from self._wait_for(kids, row, delta, waiting)
            self._since += 1
            if self._since >= PAUSE:
                self._since = 0
                yield

    def _wait_for(
        self, kids: Sequence[int], row: int, delta: int, waiting: list[tuple[int, int, int]]
    ) -> Generator[None, None, None]:
        """Queue a row's children so that the earliest comes out first."""
        tree, spans, placed = self.tree, self.spans, self.placed
        above = tree.spans[row]
        clock = self._clock(above)
        start, end = tree.start[row], tree.end[row]
        queued: list[tuple[int, int, int]] = []
        moved = False
        for number in kids:
            if placed[number]:
                continue
            placed[number] = 1
            span = spans[number]
            other = self._clock(span)
            skew = delta if other == clock and clock else _skew(span, above, start, end)
            moved = moved or skew != delta
            queued.append((number, row, skew))
            self._since += 1
            if self._since >= PAUSE:
                self._since = 0
                yield
        if moved:
            queued.sort(key=lambda item: spans[item[0]].start + item[2])
        queued.reverse()
        waiting.extend(queued)

    def _clock(self, span: Span) -> str:
        """Return what tells clocks apart: the host, else the service."""
        key = id(span.resource)
        found = self._clocks.get(key)
        if found is None:
            found = self._clocks[key] = host_of(span.resource) or service_of(span.resource)
        return found


def _skew(span: Span, parent: Span, parent_start: int, parent_end: int) -> int:
    """Return by how much to move a span that can't have been at the time its clock says."""
    start, length = span.start, max(0, span.end - span.start)
    room = (parent_end - parent_start) - length
    if start >= parent_start:
        awaited = parent.kind == "client" and span.kind == "server" and length > 0 and room >= 0
        if not awaited or start + length <= parent_end:
            return 0
    if room < 0 or span.kind in QUEUES:
        return parent_start - start
    return parent_start + room // 2 - start


def _measure(tree: TraceTree) -> Generator[None, None, None]:
    """Fill in subtree sizes and own time."""
    count = len(tree.spans)
    size, failing = [1] * count, [0] * count
    parent, start, end, spans = tree.parent, tree.start, tree.end, tree.spans
    error = SpanStatus.ERROR
    for row in range(count - 1, -1, -1):
        if spans[row].status is error:
            failing[row] += 1
            tree.errors.append(row)
        above = parent[row]
        if above >= 0:
            size[above] += size[row]
            failing[above] += failing[row]
        if row % PAUSE == 0:
            yield
    tree.errors.reverse()
    own = [end[row] - start[row] for row in range(count)]
    reached = list(
        start
    )  # up to where a row's time is covered by children, which come in the order of starts
    for row in range(count):
        above = parent[row]
        if above >= 0:
            begins = max(start[row], reached[above])
            finishes = min(end[row], end[above])
            if finishes > begins:
                own[above] -= finishes - begins
                reached[above] = finishes
        if row % PAUSE == 0:
            yield
    tree.size, tree.failing, tree.own = size, failing, own


def _sum_up(tree: TraceTree) -> Generator[None, None, None]:
    """Fill in what is said of the whole."""
    first, last = min(tree.start), max(tree.end)
    yield
    tree.first, tree.last = first, last
    scale = max(1, last - first)
    changes = [0] * (BUCKETS + 1)
    row_of, services = tree._row_of, tree.services
    seen: set[int] = set()
    for row, span in enumerate(tree.spans):
        changes[min(BUCKETS - 1, (tree.start[row] - first) * BUCKETS // scale)] += 1
        changes[min(BUCKETS - 1, (tree.end[row] - first) * BUCKETS // scale) + 1] -= 1
        row_of.setdefault(span.span_id, row)
        if id(span.resource) not in seen:
            seen.add(id(span.resource))
            services.setdefault(service_of(span.resource), len(services))
        if row % PAUSE == 0:
            yield
    running = 0
    for bucket in range(BUCKETS):
        running += changes[bucket]
        tree.overview[bucket] = running


def _choose_root(tree: TraceTree) -> None:
    best = None
    row = 0
    while row < len(tree.spans):
        true = row not in tree.orphans and row not in tree.looped
        rank = (true, tree.end[row] - tree.start[row], -row)
        if best is None or rank > best:
            best, tree.root = rank, row
        row += tree.size[row]
