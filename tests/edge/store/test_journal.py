import json
import os
import resource
import sqlite3
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.store.archive import Archive
from edge.store.errors import AlreadyApplied, AlreadyDecided, StoreError, Unwritable
from edge.store.journal import Journal
from edge.store.verify import verify
from sync.chain import GENESIS, body, link
from tests.edge.store.builders import alarm, disposition, due, inspection, sure


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal.open(tmp_path / "line.db", "boot-1", 0)
    yield opened
    opened.close()


def test_records_get_their_place_bytes_and_hash_once(journal: Journal) -> None:
    epoch, seq, zeros = journal.head
    assert (seq, zeros) == (0, GENESIS)
    part = inspection(1)
    first, second = journal.append([part, disposition(part)])
    assert first.body == body({**part.content(), "stream": "line", "epoch": epoch, "seq": 1})
    assert first.hash == link(GENESIS, first.body)
    assert second.hash == link(first.hash, second.body)
    assert journal.head == (epoch, 2, second.hash)


def test_the_chain_goes_on_after_a_restart(journal: Journal) -> None:
    journal.append(sure(2))
    head = journal.head
    journal.close()
    again = Journal.open(journal.path, "boot-1", 0)
    assert again.head == head
    assert again.append([alarm(1)])[0].seq == head[1] + 1
    again.close()


def test_an_escalation_is_open_until_its_disposition(journal: Journal) -> None:
    part = inspection(1, "escalate", asked=True, part="P-1")
    journal.append([part], deadlines=due(part, 60))
    (waiting,) = journal.open_escalations()
    assert (waiting.inspection, waiting.seq, waiting.part_id) == (part.id, 1, "P-1")
    assert (waiting.boot_id, waiting.deadline_ns, waiting.allowed_s) == ("boot-1", 60 * 10**9, 60)
    journal.append([disposition(part, "person", "accept")])
    assert journal.open_escalations() == []


def test_an_escalation_answered_in_its_own_transaction_never_opens(journal: Journal) -> None:
    part = inspection(1, "escalate", asked=True)
    journal.append([part, disposition(part, "fallback", "hold")], deadlines=due(part))
    assert journal.open_escalations() == []


def test_an_escalation_of_an_earlier_boot_gets_its_whole_time_again(journal: Journal) -> None:
    part = inspection(1, "escalate", asked=True)
    journal.append([part], deadlines=due(part, 60))
    journal.close()
    for boot, deadline in (("boot-1", 60), ("boot-2", 5 + 60)):
        again = Journal.open(journal.path, boot, 5 * 10**9)
        (waiting,) = again.open_escalations()
        assert (waiting.boot_id, waiting.deadline_ns) == (boot, deadline * 10**9)
        again.close()


def test_a_part_that_nobody_is_asked_about_does_not_wait(journal: Journal) -> None:
    journal.append([inspection(1, "escalate", asked=False)])
    assert journal.open_escalations() == []


@pytest.mark.parametrize("together", [True, False])
def test_a_second_disposition_is_refused_and_named(journal: Journal, together: bool) -> None:
    part = inspection(1, "escalate", asked=True)
    journal.append([part], deadlines=due(part))
    by_person, by_deadline = disposition(part, "person"), disposition(part, "fallback", "hold")
    if not together:
        journal.append([by_person])
    head = journal.head
    with pytest.raises(AlreadyDecided) as refused:
        journal.append([by_person, by_deadline] if together else [by_deadline])
    assert refused.value.inspection == part.id
    assert refused.value.record is by_deadline
    assert journal.head == head
    assert len(journal.open_escalations()) == together


def _poison():
    part = inspection(3)
    escalated = inspection(4, "escalate", asked=True)
    stranger = disposition(inspection(5))
    return {
        "NaN": replace(part, score=float("nan")),
        "not JSON": replace(part, tags={"a": object()}),
        "no deadline": escalated,
        "unknown inspection": stranger,
    }


@pytest.mark.parametrize("kind", list(_poison()))
def test_one_record_that_cannot_be_stored_is_named_and_the_others_go_on(
    journal: Journal, kind: str
) -> None:
    good, bad = sure(1), _poison()[kind]
    with pytest.raises(Unwritable) as refused:
        journal.append([*good, bad])
    assert refused.value.record is bad
    assert journal.head[1] == 0
    assert len(journal.append(good)) == 2


def test_a_name_that_is_no_utf8_does_not_cost_the_part_its_record(journal: Journal) -> None:
    part = replace(inspection(1, part="P\udcff"), tags={"file": "good/\udce4.jpg"})
    (done,) = journal.append([part])
    content = json.loads(done.body)
    assert (content["part_id"], content["tags"]) == ("P?", {"file": "good/?.jpg"})
    with Archive.open(journal.path) as archive:
        assert len(archive.find("P?")) == 1


def test_an_id_that_is_taken_is_named_and_the_others_go_on(journal: Journal) -> None:
    part = inspection(1)
    journal.append([part])
    with pytest.raises(Unwritable) as refused:
        journal.append([inspection(2), part])
    assert refused.value.record is part
    twice = inspection(3)
    with pytest.raises(Unwritable):
        journal.append([twice, twice])
    assert journal.head[1] == 1


def test_a_request_is_applied_once_with_its_records_and_state(journal: Journal) -> None:
    assert not journal.seen("r-1")
    journal.append([alarm(1)], state={"degree": "assist"}, request_id="r-1")
    with pytest.raises(AlreadyApplied):
        journal.append([alarm(2)], state={"degree": "full"}, request_id="r-1")
    journal.close()
    again = Journal.open(journal.path, "boot-1", 0)
    assert (again.seen("r-1"), again.state("degree"), again.head[1]) == (True, "assist", 1)
    assert again.state("unknown") is None
    again.close()


def test_state_is_not_kept_when_the_records_are_not(journal: Journal) -> None:
    journal.append([], state={"degree": "assist"})
    part = inspection(1)
    with pytest.raises(Unwritable):
        journal.append([part, part], state={"degree": "full"}, request_id="r-2")
    assert journal.state("degree") == "assist"
    assert not journal.seen("r-2")


def _fill(journal: Journal) -> None:
    with suppress(sqlite3.Error):
        for _ in range(1000):
            journal.append(sure(20))
        pytest.fail("the disk was never full")


def _whole(journal: Journal, tmp_path: Path) -> None:
    with Archive.open(journal.path) as archive:
        assert archive.head() == journal.head[1:]
        assert verify(archive, tmp_path).sound


def test_a_full_database_stores_nothing_by_halves_and_recovers(
    journal: Journal, tmp_path: Path
) -> None:
    journal._database.execute("PRAGMA max_page_count = 60")
    _fill(journal)
    _retry_after_room(
        journal, tmp_path, lambda: journal._database.execute("PRAGMA max_page_count = 4096")
    )


def test_a_disk_that_refuses_bytes_stores_nothing_by_halves_and_recovers(
    journal: Journal, tmp_path: Path
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        _fill(journal)
        _retry_after_room(
            journal, tmp_path, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _retry_after_room(journal: Journal, tmp_path: Path, make_room) -> None:
    head, waiting = journal.head, inspection(9, "escalate", asked=True)
    records = [*sure(40), waiting]
    with pytest.raises(sqlite3.Error):
        journal.append(records, deadlines=due(waiting), state={"k": "v"}, request_id="r")
    assert journal.head == head
    assert (journal.open_escalations(), journal.state("k"), journal.seen("r")) == ([], None, False)
    _whole(journal, tmp_path)
    make_room()
    done = journal.append(records, deadlines=due(waiting), state={"k": "v"}, request_id="r")
    assert done[0].seq == head[1] + 1
    assert len(journal.open_escalations()) == 1
    _whole(journal, tmp_path)


def test_a_second_writer_is_noticed_before_the_chain_forks(journal: Journal) -> None:
    other = Journal.open(journal.path, "boot-1", 0)
    other.append(sure(1))
    other.close()
    with pytest.raises(StoreError, match="another process has written"):
        journal.append(sure(1))


def test_opening_and_closing_leaves_nothing_open(tmp_path: Path) -> None:
    Journal.open(tmp_path / "line.db", "boot-1", 0).close()
    before = sorted(os.listdir("/proc/self/fd"))
    for number in range(50):
        journal = Journal.open(tmp_path / "line.db", "boot-1", 0)
        journal.append([alarm(number)])
        with Archive.open(tmp_path / "line.db") as archive:
            assert archive.head()[0] == number + 1
        journal.close()
        journal.close()
    assert sorted(os.listdir("/proc/self/fd")) == before
    assert not (tmp_path / "line.db-wal").exists()


_PARTS = st.sampled_from(["accept", "reject", "ask", "escalate", "alarm", "answer", "again"])


@settings(max_examples=25, deadline=None)
@given(batches=st.lists(st.lists(_PARTS, max_size=6), max_size=8))
def test_any_sequence_of_records_is_whole_counted_and_disposed_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[str]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    journal = Journal.open(folder / "line.db", "boot-1", 0)
    waiting: list = []
    for batch in batches:
        asked: list = []
        records = [r for kind in batch for r in _some(kind, asked, waiting)]
        deadlines = {part.id: due(part)[part.id] for part in asked}
        journal.append(records, deadlines=deadlines)
        waiting += asked
        assert [e.inspection for e in journal.open_escalations()] == [p.id for p in waiting]
        if "again" in batch:
            journal.close()
            journal = Journal.open(folder / "line.db", "boot-1", 0)
    journal.close()
    with Archive.open(folder / "line.db") as archive:
        assert verify(archive, folder).sound
        contents = [json.loads(row.body) for row in archive.rows(0, 10_000, 1 << 30)]
        counts = archive.counts()
    assert [content["seq"] for content in contents] == list(range(1, len(contents) + 1))
    by_kind = Counter(content["schema"] for content in contents)
    assert {name: n for name, n in counts.items() if "/" in name} == by_kind
    decided = Counter(f"decision:{c['decision']}" for c in contents if "decision" in c)
    assert {name: n for name, n in counts.items() if name.startswith("decision:")} == decided


def _some(kind: str, asked: list, waiting: list) -> list:
    if kind in ("accept", "reject"):
        part = inspection(1, kind)
        return [part, disposition(part)]
    if kind in ("ask", "escalate"):
        part = inspection(2, "escalate", asked=kind == "ask")
        asked += [part] if part.asked else []
        return [part]
    if kind == "answer" and waiting:
        return [disposition(waiting.pop(0), "person")]
    return [alarm(1)] if kind == "alarm" else []
