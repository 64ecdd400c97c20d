from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.expiry import DAY_S, Facts, Lifetime, date, days_left, refused, warnings

NOW = 1_800_000_000.0
PEER = Lifetime("the broker's", NOW - 10 * DAY_S, NOW + 100 * DAY_S, "renew it")
CA = Lifetime("the authority's", NOW - 100 * DAY_S, NOW + 1000 * DAY_S, "renew that")


def shifted(one, days):
    return Lifetime(
        one.whose, one.not_before + days * DAY_S, one.not_after + days * DAY_S, one.mend
    )


def test_dates_and_days():
    assert date(NOW) == "2027-01-15"
    assert date(1e18) == "a date beyond all calendars"
    assert days_left(PEER, NOW) == 100
    assert days_left(shifted(PEER, -100.5), NOW) == -1


def test_thirty_days_ahead_and_not_earlier():
    assert warnings([CA, PEER], NOW) == []
    assert warnings([PEER], NOW + 69.9 * DAY_S) == []
    (found,) = warnings([CA, PEER], NOW + 70.1 * DAY_S)
    assert found.what == f"the broker's ends on {date(PEER.not_after)}"
    assert found.mend == "renew it"


def test_the_words_stay_the_same_until_it_ends():
    said = {warnings([PEER], NOW + days * DAY_S)[0].what for days in range(71, 100)}
    assert len(said) == 1
    assert "expired on" in warnings([PEER], NOW + 101 * DAY_S)[0].what


def test_the_earliest_comes_first():
    late, soon = shifted(PEER, -75), shifted(CA, -990)
    assert [one.mend for one in warnings([late, soon], NOW)] == ["renew that", "renew it"]


def test_what_is_valid_is_not_explained():
    assert refused(PEER, [CA], Facts(NOW)) is None


def test_a_certificate_from_the_future_with_a_good_clock_is_the_issuers_fault():
    found = refused(shifted(PEER, 15), [CA], Facts(NOW))
    assert "is not valid before" in found.what
    assert "behind" not in found.what


def test_a_clock_that_is_not_synchronised_is_behind():
    found = refused(shifted(PEER, 15), [CA], Facts(NOW, synced=False))
    assert found.what.startswith("this machine's clock is at least 5 days behind: it says 2027-01")
    assert "timedatectl" in found.mend


def test_a_second_thing_from_the_future_shows_that_the_clock_is_behind():
    """The kernel says synchronised, perhaps with a server that is wrong itself."""
    for others, facts in (
        ([shifted(CA, 120)], Facts(NOW)),
        ([CA], Facts(NOW, True, NOW + 20 * DAY_S)),
    ):
        found = refused(shifted(PEER, 15), others, facts)
        assert "this machine's clock is at least 20 days behind" in found.what


def test_less_than_two_days_are_told_in_hours():
    found = refused(shifted(PEER, 10 + 5 / 24), [], Facts(NOW, synced=False))
    assert "at least 5 h behind" in found.what


def test_an_expired_certificate():
    gone = shifted(PEER, -101)
    assert refused(gone, [CA], Facts(NOW)).what == f"the broker's expired on {date(gone.not_after)}"
    doubtful = refused(gone, [CA], Facts(NOW, synced=False))
    assert doubtful.what.endswith("not synchronised) is wrong")
    assert doubtful.mend == "renew it"


def test_everything_expired_and_no_synchronised_clock_is_a_clock_ahead():
    found = refused(PEER, [CA], Facts(NOW + 2000 * DAY_S, synced=False))
    assert found.what.startswith("this machine's clock is 1000 days or more ahead")
    assert "timedatectl" in found.mend
    told = refused(PEER, [CA], Facts(NOW + 2000 * DAY_S, synced=True))
    assert told.what == f"the broker's expired on {date(PEER.not_after)}"
    alone = refused(PEER, [], Facts(NOW + 2000 * DAY_S, synced=False))
    assert "ahead" not in alone.what


TIMES = st.floats(-1e12, 1e12)


@given(TIMES, TIMES, TIMES, st.booleans(), TIMES)
def test_any_time_has_words_and_a_valid_certificate_none(begin, end, now, synced, software):
    one = Lifetime("it", begin, end, "renew")
    found = refused(one, [CA], Facts(now, synced, software))
    assert (found is None) == (begin <= now <= end)
    assert found is None or (found.what and found.mend)
    warnings([one], now)
