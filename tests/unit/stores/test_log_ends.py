from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cockpit.stores.logs.ends import BothEnds

STEPS = st.lists(
    st.tuples(st.sampled_from(["before", "after", "first", "from"]), st.lists(st.integers(-5, 5), max_size=5))
)


@given(STEPS)
def test_it_is_a_list_with_two_ends(steps: list[tuple[str, list[int]]]) -> None:
    kept, plain = BothEnds(), list[int]()
    for what, numbers in steps:
        if what == "before":
            kept.add_before(numbers)
            plain = numbers + plain
        elif what == "after":
            kept.add_after(numbers)
            plain = plain + numbers
        elif what == "first":
            count = min(len(numbers), len(plain))
            assert sorted(kept.take_first(count)) == sorted(plain[:count])
            plain = plain[count:]
        else:
            assert sorted(kept.take_from(len(numbers))) == sorted(plain[len(numbers) :])
            plain = plain[: len(numbers)]
        assert len(kept) == len(plain)
        assert [kept[place] for place in range(len(kept))] == plain
