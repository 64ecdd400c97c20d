"""Retention at work: real databases and folders, a clock that the test turns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from edge.clock import Clock
from edge.review.questions import OPEN_CHECKS
from edge.store import survey as survey_module
from edge.store import usage
from edge.store.archive import Archive
from edge.store.ballast import Ballast
from edge.store.elsewhere import Elsewhere
from edge.store.forecast import DAY_S
from edge.store.images import ImageStore
from edge.store.journal import Journal
from edge.store.stock import Stock
from edge.store.strays import WAIT_NS
from edge.store.verify import Finding, verify
from edge.workers.errands import Errands
from edge.workers.storing import IDLE_NS, Limits, Parts, Storing
from sync.position import Held, PositionFile, Positions
from sync.window import Mark
from tests.edge.store.builders import NOON, alarm, disposition, due, inspection, sure

S = 10**9
HOUR = 3600 * S
KB = 1000
TEN_YEARS = 10 * 365 * 86_400.0
MUCH = usage.Disk(10**12, 10**12)


class FakeClock(Clock):
    """Both clocks in the hands of the test."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns, self.at = 5 * S, NOON

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall(self) -> float:
        return self.at


class Station:
    """A state directory with a line that records, and retention that tends it."""

    def __init__(self, folder: Path, **limits: object) -> None:
        self.folder, self.clock, self.refusal = folder, FakeClock(), None
        self.journal = Journal.open(folder / "line.db", "boot-1", 0)
        self.images, self.errands = ImageStore(folder), Errands()
        self.limits = replace(Limits(10**12, 30 * DAY_S, 730 * DAY_S, False), **limits)
        self.begin()

    def begin(self, images: str = "none", samples: bool = False) -> None:
        """As the line does at its start."""
        folder = self.folder
        parts = Parts(
            folder,
            Stock(folder / "line.db", OPEN_CHECKS, "watch"),
            Elsewhere(folder, images, samples),
            self.errands,
            self.images,
            Ballast(folder, 256 * 1024),
            self.clock,
            lambda: self.refusal,
        )
        self.storing = Storing(parts, self.limits)

    def parts(self, count: int, decision: str = "accept", size: int = 40 * KB, **more: object):
        """Parts with pictures, recorded."""
        made = []
        for number in range(count):
            part = inspection(number, decision, asked=bool(more.get("asked")))
            image = self.images.keep(part.id, self.clock.at, b"x" * size)
            made.append(replace(part, image=image, **more))
        deadlines = {k: v for one in made if one.asked for k, v in due(one).items()}
        escalated = decision == "escalate"
        self.journal.append(made, deadlines=deadlines if escalated else {})
        return made

    def tend(self, times: int = 1, every_ns: int = IDLE_NS) -> None:
        """Steps of the tend thread, each with one of the record thread."""
        for _ in range(times):
            self.clock.now_ns += every_ns
            assert list(self.storing.step(self.clock.now_ns)) == []
            assert self.storing.failing is None
            self.errands.run(self.journal)

    def settle(self) -> None:
        """Until nothing changes any more."""
        before = None
        for _ in range(200):
            self.tend(3)
            now = (self.there(), self.journal.head, self.anchor())
            if now == before:
                return
            before = now
        pytest.fail("it never came to rest")

    def there(self) -> set[str]:
        """Names of the pictures on the disk."""
        return {path.stem for path in (self.folder / "images").rglob("*") if path.is_file()}

    def anchor(self) -> int:
        """Up to where records are deleted."""
        with Archive(self.journal.path) as archive:
            return archive.anchor.seq

    def verify(self) -> Finding:
        """As `results --verify`."""
        with Archive.open(self.journal.path) as archive:
            return verify(archive, self.folder)

    def acknowledge(self, seq: int, **pictures: object) -> None:
        """As sync writes it."""
        with Archive(self.journal.path) as archive:
            mark = Mark(self.journal.head[0], seq, archive.last_hash(seq) or "")
        held = {"line": Held("line", mark, "store-1")}
        PositionFile(self.folder / "sync.json").write(Positions(held, {}, pictures))

    def figures(self) -> dict:
        return dict(self.storing.figures()["storage"])


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[Station] = []
    monkeypatch.setattr(usage, "disk", lambda folder: MUCH)

    def make(**limits: object) -> Station:
        made.append(Station(tmp_path, **limits))
        return made[0]

    yield make
    for one in made:
        one.storing.close()
        one.journal.close()


def _ids(parts: Sequence[object]) -> set[str]:
    return {part.id for part in parts}


def test_with_room_and_time_nothing_goes(station) -> None:
    line = station()
    parts = line.parts(5)
    line.settle()
    assert line.there() == _ids(parts)
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
    assert _ids(escalated) | _ids(rejected) <= left
    assert left & _ids(accepted) == _ids(accepted[-len(left & _ids(accepted)) :]), "oldest first"
    assert 0 < len(left & _ids(accepted)) < 60
    figures = line.figures()
    assert figures["used_bytes"] <= 0.95 * 3_600 * KB
    assert figures["given_up"] == 100 - len(left)
    assert (line.anchor(), figures["deleted"]) == (0, 0)
    more = line.parts(30)
    line.settle()
    assert _ids(more[-10:]) | _ids(rejected) <= line.there()
    finding = line.verify()
    assert finding.sound
    assert finding.given_up == line.figures()["given_up"]


def test_without_pictures_left_acknowledged_records_go_and_others_never(station) -> None:
    line = station(max_bytes=1_200 * KB, waits=True)
    line.tend(3)  # the ballast and the bound are there
    while line.refusal is None:
        try:
            line.journal.append(sure(10))
        except sqlite3.OperationalError as error:
            line.refusal = str(error)
        line.tend(3)
    assert "full" in line.refusal
    line.tend(3)
    assert "of 1.2 MB are used" in line.storing.trouble
    stuck = line.journal.head
    assert line.anchor() == 0
    line.acknowledge(100)
    line.settle()
    line.refusal = None
    assert 0 < line.anchor() <= 100
    line.journal.append(sure(10))
    line.settle()
    assert line.journal.head[1] == stuck[1] + 20
    assert line.verify().sound


def test_an_acknowledgement_of_other_records_deletes_nothing_and_is_said(station) -> None:
    line = station(waits=True, records_s=10.0)
    line.journal.append(sure(20))
    line.tend(20)
    assert line.anchor() == 0
    mark = Mark(line.journal.head[0], 30, "0" * 64)
    wrong = Positions({"line": Held("line", mark, "store-9")}, {}, {})
    PositionFile(line.folder / "sync.json").write(wrong)
    line.tend(20)
    assert line.anchor() == 0
    assert "store-9" in str(line.storing.trouble)
    line.acknowledge(30)
    line.tend(20)
    assert line.anchor() == 30
    assert line.storing.trouble is None


def test_terms_are_separate_and_count_running_time(station) -> None:
    line = station(pictures_s=10 * 3600.0, records_s=20 * 3600.0)
    first = line.parts(3, "reject")
    line.tend(5)
    line.tend(8, HOUR)
    second = line.parts(3)
    line.tend(4, HOUR)
    line.settle()
    assert line.there() == _ids(second)
    assert line.anchor() == 0
    line.tend(9, HOUR)
    line.settle()
    assert line.anchor() == 3
    assert line.there() == set()
    finding = line.verify()
    assert finding.sound
    assert (finding.records, finding.given_up) == (3, 3)
    assert not _ids(first) & line.there()


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
    assert _ids(asked) | _ids(check) <= line.there()
    line.parts(40, asked=True)
    line.settle()
    assert _ids(asked) | _ids(check) <= line.there()
    assert not _ids(answered) & line.there()
    assert line.figures()["given_up_though_awaited"] == 0


def test_at_the_hard_limit_what_somebody_waits_for_goes_and_is_counted(station) -> None:
    line = station(max_bytes=1_500 * KB)
    asked = line.parts(40, "escalate", asked=True)
    line.settle()
    assert line.there() < _ids(asked)
    figures = line.figures()
    assert figures["given_up_though_awaited"] == 40 - len(line.there()) > 0
    assert line.storing.trouble
    assert "nothing is left" in line.storing.trouble
    assert len(line.journal.open_escalations()) == 40
    assert line.verify().sound


def test_pictures_that_wait_for_their_upload_stay(station) -> None:
    line = station(max_bytes=8_000 * KB)
    line.storing.close()
    line.begin("escalated")
    sent = line.parts(5, "escalate")
    line.acknowledge(0, line={"epoch": line.journal.head[0], "seq": 5})
    accepted, waiting = line.parts(3), []
    while _ids(sent) <= line.there():
        waiting += line.parts(1, "escalate")
        line.tend(3)
    assert not _ids(accepted) & line.there()
    assert _ids(waiting) <= line.there()
    assert line.figures()["given_up_though_awaited"] == 0


def test_a_crash_between_marking_and_unlinking_leaves_no_file_and_no_damage(station) -> None:
    line = station(max_bytes=1_000 * KB)
    parts = line.parts(40)
    line.storing.step(line.clock.now_ns + 10 * S)
    line.errands.run(line.journal)  # marked, and then the power goes
    assert line.there() == _ids(parts)
    marked = line.verify()
    assert marked.sound
    assert marked.given_up > 0
    line.storing.close()
    line.journal.close()
    line.journal = Journal.open(line.folder / "line.db", "boot-1", 0)
    line.errands = Errands()
    line.begin()
    line.settle()
    finding = line.verify()
    assert finding.sound
    assert len(line.there()) == 40 - finding.given_up
    rows = line.journal._database.execute("SELECT count(*) FROM pictures WHERE removed = 1")
    assert rows.fetchone() == (0,)


def test_a_file_that_is_gone_already_and_one_that_is_none_of_ours_cost_nothing(station) -> None:
    line = station(max_bytes=1_000 * KB)
    parts = line.parts(30)
    (line.folder / parts[0].image.path).unlink()
    (line.folder / "precious").write_bytes(b"x")
    line.journal._database.execute("UPDATE pictures SET path = 'images/../precious' WHERE seq = 2")
    line.settle()
    assert (line.folder / "precious").exists()
    assert line.figures()["used_bytes"] <= 1_000 * KB


def test_empty_folders_go_but_not_the_one_in_use(station) -> None:
    line = station(pictures_s=3600.0)
    line.parts(2)
    line.tend(5)
    line.clock.at += 86_400
    line.tend(3, HOUR)
    line.settle()
    assert len(list((line.folder / "images").iterdir())) == 1, "the newest picture's"
    line.parts(1)
    line.tend(3)
    line.tend(3, HOUR)
    line.settle()
    assert len(list((line.folder / "images").iterdir())) <= 2


def test_pictures_of_a_database_that_was_set_aside_are_found_and_go_in_their_turn(station) -> None:
    line = station(max_bytes=3_000 * KB)
    old = line.parts(20, "reject")
    line.settle()
    line.journal.close()
    for name in ("line.db", "line.db-wal", "line.db-shm"):
        (line.folder / name).unlink(missing_ok=True)
    line.journal = Journal.open(line.folder / "line.db", "boot-1", 0)
    new = line.parts(10, "reject")
    line.settle()
    assert line.figures()["pictures"] == 10
    line.tend(3, WAIT_NS)
    line.settle()
    assert line.figures()["pictures"] == 30
    more = line.parts(60, "reject")
    line.settle()
    left = line.there()
    assert not left & _ids(old), "older than everything"
    assert left >= _ids(more[-20:])
    assert line.verify().sound
    assert _ids(new)


def test_the_database_may_not_grow_beyond_what_is_allowed(station) -> None:
    line = station(max_bytes=2_000 * KB)
    line.tend(3)
    pages = line.journal._database.execute("PRAGMA max_page_count").fetchone()[0]
    assert pages * 4096 < 2_000 * KB


def test_a_full_disk_throws_off_the_ballast_and_keeps_the_last_room_for_records(
    station, monkeypatch
) -> None:
    line = station()
    parts = line.parts(50)
    line.tend(5)
    assert line.figures()["ballast"]
    free = [0]

    def disk(folder: Path) -> usage.Disk:
        there = sum(1 for _ in line.there())
        return usage.Disk(32 << 20, free[0] + (50 - there) * 40960)

    monkeypatch.setattr(usage, "disk", disk)
    line.tend(1)
    assert not line.figures()["ballast"]
    with pytest.raises(OSError, match="for records"):
        line.images.keep("one-more", NOON, b"x")
    line.settle()
    assert line.there() < _ids(parts)
    free[0] = 1 << 30
    line.tend(3)
    assert line.figures()["ballast"]
    line.images.keep("one-more", NOON, b"x")


def test_records_that_the_instruments_have_not_read_stay(station) -> None:
    line = station(records_s=10.0)
    epoch = line.journal.head[0]
    kept = json.dumps({"places": {"line": [epoch, 5], "queue": [None, 0]}})
    line.journal.append(sure(5), state={"watch": kept})
    line.tend(20)
    assert line.anchor() == 5


def test_the_forecast_and_how_far_back_it_reaches(station) -> None:
    line = station(max_bytes=100_000 * KB, waits=True)
    line.tend(2)
    for _ in range(24):
        line.parts(10)
        line.tend(1, HOUR)
    line.tend(3)
    figures = line.figures()
    a_day = 240 * 40960 + 240 * 1500
    assert figures["days_left"] == pytest.approx(85_000 * KB / a_day, rel=0.1)
    assert figures["outage_days"] > figures["days_left"]
    assert figures["pictures_reach_days"] == pytest.approx(1.0, abs=0.1)
    assert figures["records_reach_days"] == pytest.approx(1.0, abs=0.1)
    assert figures["unacknowledged"] == 240
    assert "days left at today's rate; without acknowledgement, records for" in figures["words"]


def test_records_that_nobody_acknowledges_alarm_days_before_the_line_is_touched(station) -> None:
    line = station(max_bytes=9_000 * KB, waits=True)
    line.tend(2)
    for _ in range(24):
        line.journal.append(sure(60))
        line.tend(1, HOUR)
    line.tend(5)
    assert "records are not acknowledged; there is room for" in str(line.storing.trouble)
    line.journal.append([alarm(1)])
    line.acknowledge(line.journal.head[1])
    line.tend(5)
    assert line.storing.trouble is None


def test_a_database_that_cannot_be_read_is_said_and_not_raised(station) -> None:
    line = station()
    line.tend(2)
    line.journal.close()
    (line.folder / "line.db").write_bytes(b"no database" * 1000)
    line.storing.step(line.clock.now_ns + 10 * S)
    assert "not a database" in str(line.storing.trouble)


def test_other_things_in_the_folder_count(station, monkeypatch) -> None:
    line = station(max_bytes=3_000 * KB)
    line.parts(40)
    line.settle()
    assert len(line.there()) == 40
    (line.folder / "salvage").mkdir()
    (line.folder / "salvage" / "old.db").write_bytes(b"x" * 1_500 * KB)
    line.tend(2, survey_module.OTHERS_NS)
    line.settle()
    assert len(line.there()) < 40
