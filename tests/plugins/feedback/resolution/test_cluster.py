from hypothesis import given
from hypothesis import strategies as st

from feedback.resolution.cluster import Likely, average_link

PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1]),
    st.tuples(st.floats(0, 1), st.sampled_from([1.0, 3.0])).map(lambda both: Likely(*both)),
    max_size=40,
)


@given(PAIRS, st.permutations(range(12)))
def test_every_node_is_in_one_group_whatever_the_order(likely, order):
    groups = average_link(order, dict(sorted(likely.items(), key=lambda entry: order.index(entry[0][0]))))

    assert sorted(node for group in groups for node in group) == list(range(12))
    assert groups == average_link(range(12), likely)


@given(PAIRS)
def test_what_may_not_meet_is_never_together(likely):
    groups = average_link(range(12), likely, lambda one, other: not {0, 1} <= one | other)

    assert not any({0, 1} <= group for group in groups)


def test_one_likely_pair_does_not_pull_two_groups_together():
    inside = {(a, b): Likely(0.9) for group in (range(3), range(3, 6)) for a in group for b in group if a < b}

    assert len(average_link(range(6), inside | {(2, 3): Likely(0.85, 3.0)})) == 2
