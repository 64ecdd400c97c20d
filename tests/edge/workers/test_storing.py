"""What goes and what stays: by worth, by age, for whom it waits. Real databases and folders."""

from __future__ import annotations

import json

from edge.review.questions import OPEN_CHECKS
from tests.edge.store.builders import NOON, disposition
from tests.edge.workers.retaining import HOUR, KB, TEN_YEARS, ids


def test_with_room_and_time_nothing_goes(station) -> None:
    line = station()
    parts = line.parts(5)
    line.settle()
    assert line.there() == ids(parts)
    assert line.storing.trouble is None
    assert line.figures()["pictures"] == 5
    assert line.figures()["pictures_bytes"] == 5 * 40960


def test_at_the_limit_pictures_go_by_worth_and_records_stay(station) -> None:
    line = station(max_bytes=3_600 * KB)
    escalated = line.parts(20, "escalate", asked=True)
    line.journal.append([disposition(one, "fallback", "hold") for one in escalated])
    rejected = line.parts(20, "reject")
    accepted = line.parts(60)
    line.settle()
    left = line.there()
    assert ids(escalated) | ids(rejected) <= left
    assert left & ids(accepted) == ids(accepted[-len(left & ids(accepted)) :]), "oldest first"
    assert 0 < len(left & ids(accepted)) < 60
    figures = line.figures()
    assert figures["used_bytes"] <= 0.95 * 3_600 * KB
    assert figures["given_up"] == 100 - len(left)
    assert (line.anchor(), figures["deleted"]) == (0, 0)
    more = line.parts(30)
    line.settle()
    assert ids(more[-10:]) | ids(rejected) <= line.there()
    finding = line.verify()
    assert finding.sound
    assert finding.given_up == line.figures()["given_up"]


def test_terms_are_separate_and_count_running_time(station) -> None:
    line = station(pictures_s=10 * 3600.0, records_s=20 * 3600.0)
    first = line.parts(3, "reject")
    line.tend(5)
    line.tend(8, HOUR)
    second = line.parts(3)
    line.tend(4, HOUR)
    line.settle()
    assert line.there() == ids(second)
    assert line.anchor() == 0
    line.tend(9, HOUR)
    line.settle()
    assert line.anchor() == 3
    assert line.there() == set()
    finding = line.verify()
    assert finding.sound
    assert (finding.records, finding.given_up) == (3, 3)
    assert not ids(first) & line.there()


def test_a_clock_set_ten_years_back_and_forth_changes_nothing(station) -> None:
    line = station(pictures_s=10 * 3600.0, records_s=20 * 3600.0)
    order: list[str] = []
    for hour in range(40):
        line.clock.at = NOON + hour * 3600.0 + (TEN_YEARS, -TEN_YEARS, 0.0)[hour % 3]
        (part,) = line.parts(1)
        order.append(part.id)
        line.tend(2, HOUR // 2)
    line.settle()
    left = line.there()
    assert left == set(order[-len(left) :]), "in the order in which they came"
    assert 9 <= len(left) <= 12
    assert 18 <= line.journal.head[1] - line.anchor() <= 22
    assert line.verify().sound


def test_what_a_person_may_still_be_asked_about_stays(station) -> None:
    line = station(max_bytes=2_000 * KB)
    asked = line.parts(5, "escalate", asked=True)
    check = line.parts(1, asked=True)
    line.journal.append([], state={OPEN_CHECKS: json.dumps([check[0].id])})
    answered = line.parts(5, asked=True)
    line.parts(60)
    line.settle()
    assert ids(asked) | ids(check) <= line.there()
    line.parts(40, asked=True)
    line.settle()
    assert ids(asked) | ids(check) <= line.there()
    assert not ids(answered) & line.there()
    assert line.figures()["given_up_though_awaited"] == 0


def test_pictures_that_wait_for_their_upload_stay(station) -> None:
    line = station(max_bytes=8_000 * KB)
    line.storing.close()
    line.begin("escalated")
    sent = line.parts(5, "escalate")
    line.acknowledge(0, line={"epoch": line.journal.head[0], "seq": 5})
    accepted, waiting = line.parts(3), []
    while ids(sent) & line.there():
        waiting += line.parts(1, "escalate")
        line.tend(3)
    assert not ids(accepted) & line.there()
    assert ids(waiting) <= line.there()
    assert line.figures()["given_up_though_awaited"] == 0
