"""Deleting a prefix: what goes, what stays, and that the rest can still be verified."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.decision.challenge import ChallengeRecord
from edge.records import Automation, ImageRef, Moment
from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.store.pruning import Acknowledged, NotOurs, Prune, Pruned
from edge.store.verify import Finding, verify
from tests.edge.store.builders import NOON, ORIGIN, alarm, disposition, due, inspection, sure

DAY = "2026-11-20T12:00:00.000Z"
NEXT_DAY = "2026-11-21T12:00:00.000Z"
EVERYTHING = 1 << 40


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def _free(through: int, **more) -> Prune:
    """Nobody has to acknowledge."""
    return Prune(through, DAY, waits=False, **more)


def _acknowledged(journal: Journal, seq: int) -> Prune:
    with Archive(journal.path) as archive:
        known = Acknowledged(journal.head[0], seq, archive.last_hash(seq) or "", "store-1")
    return Prune(EVERYTHING, DAY, True, known)


def _verify(journal: Journal) -> Finding:
    with Archive.open(journal.path) as archive:
        return verify(archive, journal.path.parent)


def _changes() -> list[object]:
    moment = Moment(NOON, 0)
    degree = Automation("a-1", ORIGIN, moment, "set", "partial", "partial", "ready", by="j.doe")
    start = ChallengeRecord("c-1", ORIGIN, moment, "start", "c-1", "defect", 1, "j.doe")
    return [degree, start]


def test_a_prefix_goes_and_the_rest_is_verified_from_the_anchor(journal: Journal) -> None:
    journal.append(sure(10))
    head = journal.head
    assert journal.prune(_free(7)) == Pruned(7, 0, 7)
    finding = _verify(journal)
    assert finding.sound
    assert (finding.anchor.seq, finding.anchor.count, finding.anchor.at) == (7, 7, DAY)
    assert (finding.records, finding.last_hash) == (13, head[2])
    journal.close()
    again = Journal.open(journal.path, "boot-1", 0)
    assert again.head == head
    assert again.append([alarm(1)])[0].seq == 21
    assert _verify(again).sound
    again.close()


def test_the_chain_goes_on_when_nothing_is_left(journal: Journal) -> None:
    journal.append(sure(2))
    head = journal.head
    assert journal.prune(_free(EVERYTHING)).deleted == 4
    journal.close()
    again = Journal.open(journal.path, "boot-1", 0)
    assert again.head == head
    assert again.append([alarm(1)])[0].seq == 5
    assert _verify(again).sound
    again.close()


def test_one_step_is_bounded_and_the_next_goes_on(journal: Journal) -> None:
    journal.append(sure(10))
    assert journal.prune(_free(15, most=10)) == Pruned(10, 0, 10)
    assert journal.prune(_free(15, most=10)) == Pruned(5, 0, 15)
    assert journal.prune(_free(15, most=10)) == Pruned()
    with Archive(journal.path) as archive:
        assert (archive.anchor.seq, archive.anchor.count) == (15, 15)
        assert archive.counts()["inspection/1"] == 10
    rows = journal._database.execute("SELECT count(*) FROM anchors").fetchone()
    assert rows == (1,), "the steps of one day are one anchor"
    journal.prune(replace(_free(16), at=NEXT_DAY))
    assert journal._database.execute("SELECT seq, count, at FROM anchors").fetchall() == [
        (15, 15, DAY),
        (16, 16, NEXT_DAY),
    ]


def test_an_open_escalation_and_all_behind_it_stay(journal: Journal) -> None:
    waiting = inspection(5, "escalate", asked=True)
    journal.append([*sure(2), waiting, *sure(2)], deadlines=due(waiting))
    assert journal.prune(_free(EVERYTHING)).through == 4
    assert journal.prune(_free(EVERYTHING)) == Pruned()
    journal.append([disposition(waiting, "fallback", "hold")])
    assert journal.prune(_free(EVERYTHING)).through == 10


def test_without_an_acknowledgement_nothing_goes(journal: Journal) -> None:
    journal.append(sure(5))
    assert journal.prune(Prune(EVERYTHING, DAY)) == Pruned()
    assert journal.prune(_acknowledged(journal, 6)) == Pruned(6, 0, 6)
    assert journal.prune(_acknowledged(journal, 4)) == Pruned(), "an older one changes nothing"
    with Archive(journal.path) as archive:
        assert archive.anchor.acknowledged_by == "store-1"


@pytest.mark.parametrize(
    "changed", [{"hash": "0" * 64}, {"epoch": "another"}, {"seq": 7}, {"seq": 999}, {"hash": ""}]
)
def test_an_acknowledgement_of_something_else_deletes_nothing(
    journal: Journal, changed: dict[str, object]
) -> None:
    journal.append(sure(5))
    wanted = _acknowledged(journal, 6)
    assert wanted.acknowledged is not None
    with pytest.raises(NotOurs, match="store-1"):
        journal.prune(replace(wanted, acknowledged=replace(wanted.acknowledged, **changed)))
    assert _verify(journal).records == 10


def test_what_is_never_evicted_is_kept_with_the_part_of_a_challenge(journal: Journal) -> None:
    part = replace(inspection(1, part="P-1"), tags={"challenge": "c-1"})
    another = inspection(2, part="P-2")
    done = journal.append(
        [*_changes(), part, another, disposition(another), alarm(1), disposition(part, "model")]
    )
    for _ in range(7):  # the disposition of the part in a later step than the part
        journal.prune(_free(EVERYTHING, most=1))
    finding = _verify(journal)
    assert finding.sound
    assert (finding.records, finding.kept, finding.anchor.count) == (0, 4, 3)
    with Archive(journal.path) as archive:
        assert archive.latest("automation/1").body == done[0].body
        assert archive.latest("automation/1", 1) is None
        assert archive.latest("challenge/1").seq == 2
        assert [row.seq for row in archive.find("P-1")] == [3]
        assert [row.seq for row in archive.find(part.id)] == [3]
        assert archive.find("P-2") == []
        story = archive.story(part.id)
        assert (story.disposition.seq, story.automation.seq) == (7, 1)
        assert archive.previous_hash(7) == done[5].hash
        assert archive.rows(0, 10, 1 << 20) == []
        assert archive.counts()["inspection/1"] == 2


def test_a_kept_part_may_be_seen_under_its_number_again(journal: Journal) -> None:
    first = replace(inspection(1, part="P-1"), tags={"challenge": "c-1"})
    journal.append([first])
    journal.prune(_free(EVERYTHING))
    journal.append([inspection(2, part="P-1")])
    with Archive(journal.path) as archive:
        assert [row.seq for row in archive.find("P-1")] == [1, 2]


def test_a_word_in_a_tag_is_no_challenge(journal: Journal) -> None:
    journal.append([replace(inspection(1), tags={"file": '"challenge":'})])
    assert journal.prune(_free(EVERYTHING)) == Pruned(1, 0, 1)


def test_a_record_stays_as_long_as_its_picture(journal: Journal) -> None:
    parts = [replace(inspection(n), image=ImageRef(f"images/{n}", "d", 9)) for n in range(3)]
    journal.append(parts)
    journal._database.execute("UPDATE pictures SET removed = 2 WHERE seq = 1")
    journal._database.execute("UPDATE pictures SET removed = 1 WHERE seq = 2")
    assert journal.prune(_free(EVERYTHING)).through == 1
    left = journal._database.execute("SELECT seq, removed FROM pictures").fetchall()
    assert left == [(2, 1), (3, 0)]


def test_the_picture_of_a_challenge_part_may_outlive_the_prefix(journal: Journal) -> None:
    image = ImageRef("images/1", "d", 9)
    journal.append([replace(inspection(1), image=image, tags={"challenge": "c"}), *sure(1)])
    assert journal.prune(_free(EVERYTHING)) == Pruned(2, 1, 3)
    assert journal._database.execute("SELECT seq, worth FROM pictures").fetchall() == [(1, 4)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kept SET body = replace(CAST(body AS TEXT), 'partial', 'assist') WHERE seq = 1",
        "UPDATE kept SET previous = zeroblob(31) WHERE seq = 2",
        "UPDATE kept SET hash = zeroblob(32) WHERE seq = 2",
        "UPDATE kept SET subject = 'x' WHERE seq = 1",
        "DELETE FROM kept WHERE seq = 2",
        "UPDATE anchors SET count = 3",
    ],
)
def test_damage_to_a_kept_record_is_found(journal: Journal, statement: str) -> None:
    journal.append([*_changes(), *sure(1)])
    journal.prune(_free(3))
    assert _verify(journal).sound
    database = sqlite3.connect(journal.path)
    with database:
        database.execute(statement)
    database.close()
    assert _verify(journal).broken is not None


def test_a_picture_given_up_is_no_damage_and_one_missing_is(journal: Journal) -> None:
    parts = [replace(inspection(n), image=ImageRef(f"images/{n}", "d", 9)) for n in range(3)]
    journal.append(parts)
    journal._database.execute("UPDATE pictures SET removed = seq WHERE seq < 3")
    finding = _verify(journal)
    assert [damage.seq for damage in finding.pictures] == [3]
    assert (finding.checked_pictures, finding.given_up) == (1, 2)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_deleted_the_rest_stays_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Random records, acknowledgements and deletions against a model of what must be left."""
    folder = tmp_path_factory.mktemp("any")
    journal = Journal.open(folder / "line.db", "boot-1", 0)
    written: list[tuple[int, str, bool]] = []
    acknowledged = 0
    for number in range(data.draw(st.integers(1, 12))):
        match data.draw(st.sampled_from(["sure", "escalated", "challenge", "alarm", "prune"])):
            case "sure":
                part = inspection(number)
                records, deadlines, outlives = [part, disposition(part)], {}, False
            case "escalated":
                part = inspection(number, "escalate", asked=True)
                records, deadlines, outlives = [part], due(part), False
            case "challenge":
                part = replace(inspection(number), tags={"challenge": "c"})
                records, deadlines, outlives = [part, disposition(part)], {}, True
            case "alarm":
                records, deadlines, outlives = [alarm(number)], {}, False
            case _:
                acknowledged = data.draw(st.integers(acknowledged, len(written)))
                through = data.draw(st.integers(0, len(written)))
                wanted = _acknowledged(journal, acknowledged)
                wanted = replace(wanted, through=through, most=data.draw(st.integers(1, 9)))
                journal.prune(wanted)
                continue
        for record in journal.append(records, deadlines=deadlines):
            written.append((record.seq, json.loads(record.body)["id"], outlives))
    waiting = [one.seq for one in journal.open_escalations()]
    with Archive(journal.path) as archive:
        anchor = archive.anchor.seq
        left = {row.seq for row in archive.rows(0, 1000, 1 << 30)}
        kept = {one.stored.seq for one in archive.outlived(0, 1000)}
    assert anchor <= acknowledged
    assert all(seq > anchor for seq in waiting)
    assert left == set(range(anchor + 1, len(written) + 1))
    assert kept == {seq for seq, _, outlives in written if outlives and seq <= anchor}
    assert _verify(journal).sound
    journal.close()
