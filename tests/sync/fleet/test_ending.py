import json

import pytest

from sync.fleet.ending import ending
from sync.fleet.standing import seconds

ROOT_ENDS, LIST_ENDS, OTHERS_END = "2027-11-20", "2027-11-21", "2026-11-27"
DOCUMENTS = {"root": ROOT_ENDS, "targets": LIST_ENDS, "timestamp": OTHERS_END}


def told(at, names=tuple(DOCUMENTS)):
    def newest(name):
        ends = {"signed": {"expires": f"{DOCUMENTS[name]}T12:00:00Z"}}
        return json.dumps(ends).encode() if name in names else None

    return [(one.name, one.what) for one in ending(newest, seconds(f"{at}T12:00:01Z") or 0.0)]


@pytest.mark.parametrize("day", ["2026-11-20", "2026-11-21", "2026-11-22"])
def test_what_is_renewed_daily_is_no_trouble(day):
    assert told(day) == []


def test_who_does_not_renew_is_told_while_stations_still_take_what_is_new():
    what = "what the fleet signs by itself ends on 2026-11-27"
    assert told("2026-11-23") == [("ends_soon", what)]
    assert told("2026-11-27") == [
        ("expired", f"{what.replace('ends', 'ended')}: nothing new is taken")
    ]


def test_what_persons_sign_is_told_a_month_before():
    names = ("root", "targets")
    assert told("2027-10-20", names) == []
    assert [name for name, _ in told("2027-10-21", names)] == ["ends_soon"]
    assert [name for name, _ in told("2027-11-20", names)] == ["expired", "ends_soon"]


def test_of_what_is_not_there_nothing_is_said():
    assert told("2030-01-01", ()) == []
