"""Pictures of one part count once; different parts never merge by looks."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from edge.calibrating.once import Shot, once


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


SHOTS = st.lists(
    st.builds(
        Shot,
        sha256=st.integers(0, 12).map(digest),
        label=st.sampled_from(["good", "defect"]),
        part=st.one_of(st.none(), st.integers(1, 6).map(str)),
        taken=st.one_of(st.none(), st.floats(0, 60)),
    ),
    max_size=40,
)


def naive(shots: list[Shot]) -> list[int]:
    """Groups grown until nothing joins any more."""

    def same(one: Shot, other: Shot) -> bool:
        if one.label != other.label:
            return False
        if one.part is not None and one.part == other.part:
            return True
        timed = one.taken is not None and other.taken is not None
        near = timed and abs((one.taken or 0) - (other.taken or 0)) <= 2.0
        return one.sha256 == other.sha256 or (near and one.part is None and other.part is None)

    group = list(range(len(shots)))
    changed = True
    while changed:
        changed = False
        for i, one in enumerate(shots):
            for j, other in enumerate(shots):
                if group[i] != group[j] and same(one, other):
                    group = [group[i] if g == group[j] else g for g in group]
                    changed = True
    best = {g: min((shots[i].sha256, i) for i in range(len(shots)) if group[i] == g) for g in group}
    return [best[g][1] for g in group]


@given(SHOTS)
def test_the_lowest_sha256_of_each_part_counts(shots: list[Shot]) -> None:
    assert once(shots) == naive(shots)


def test_five_hundred_different_parts_are_five_hundred() -> None:
    shots = [Shot(digest(n), "good") for n in range(500)]
    assert once(shots) == list(range(500))


def test_one_picture_copied_five_hundred_times_is_one() -> None:
    assert set(once([Shot(digest(1), "good")] * 500)) == {0}


def test_a_quick_line_with_part_ids_is_not_merged_by_time() -> None:
    shots = [Shot(digest(n), "good", f"R-{n}", n / 10) for n in range(100)]
    assert once(shots) == list(range(100))


def test_a_burst_is_one_part_also_over_more_than_two_seconds() -> None:
    shots = [Shot(digest(n), "good", None, n * 1.9) for n in range(5)]
    assert len(set(once([*shots, Shot(digest(9), "good", None, 100.0)]))) == 2
    apart = [Shot(digest(n), "good", None, n * 2.1) for n in range(5)]
    assert len(set(once(apart))) == 5
