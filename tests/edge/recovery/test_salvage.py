"""What is saved of a damaged database: everything that the hashes prove, and nothing else."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge.files import sync_folder
from edge.recovery import aside, salvage
from edge.recovery.aside import Case, Known
from edge.recovery.history import History, Saved
from edge.recovery.pages import PAGE
from edge.recovery.verify_saved import unsaved, verify_saved
from edge.store.images import ImageStore
from edge.store.pruning import Acknowledged, Prune
from edge.store.verify import verify
from tests.edge.store import damaged
from tests.edge.store.builders import NOON, alarm, disposition, due, inspection, sure
from tests.edge.store.processes import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "line.db"


def put_aside(path: Path, head: tuple[str, int, str] | None = None) -> Case:
    return aside.set_aside(path, "line", "a test", "2026-11-21T00:00:00Z", Known(head))


def saved(case: Case, path: Path) -> tuple[salvage.Salvaged, dict[int, bytes]]:
    told = salvage.salvage(case, path.parent)
    assert told.file is not None
    there = damaged.rows(path.parent / told.file)
    return told, {seq: row.body for seq, row in there.items()}


def test_a_sound_one_is_saved_whole(path: Path) -> None:
    damaged.fill(path)
    written = damaged.rows(path)
    with History(path) as history:
        epoch = history.epoch
    told, there = saved(put_aside(path), path)
    assert there == {seq: row.body for seq, row in written.items()}
    assert (told.epoch, told.rows, told.highest) == (epoch, len(written), len(written))
    assert (told.lost, told.lost_records, told.unproved) == ([], 0, [])
    assert not list((path.parent / "salvage").glob("*-wal"))
    assert not list((path.parent / "salvage").glob(".*"))
    with Saved(path.parent / str(told.file)) as archive:
        assert verify(archive, path.parent).sound
        assert archive.told["why"] == "a test"
    assert [one.complete for one in verify_saved(path.parent)] == [True]


def test_pages_that_are_gone_cost_their_records_and_the_chain_goes_on(path: Path) -> None:
    damaged.fill(path)
    written = damaged.rows(path)
    data = path.read_bytes()
    page = data.index(written[60].body) // PAGE
    damaged.overwrite(path, page * PAGE, b"\0" * PAGE)
    told, there = saved(put_aside(path), path)
    (gap,) = told.lost
    assert gap[0] <= 60 <= gap[1] < gap[0] + 6
    assert there.keys() == written.keys() - set(range(gap[0], gap[1] + 1))
    assert told.unproved == [gap[1] + 1]
    (rescue,) = verify_saved(path.parent)
    assert rescue.finding.sound
    assert not rescue.complete
    assert rescue.lost == [gap]


def test_one_damaged_body_leaves_its_hash_so_that_the_next_one_can_be_proved(path: Path) -> None:
    damaged.fill(path)
    written = damaged.rows(path)
    damaged.overwrite(path, path.read_bytes().index(written[30].body) + 50, b"?")
    told, there = saved(put_aside(path), path)
    assert told.lost == [(30, 30)]
    assert there.keys() == written.keys() - {30}
    with Saved(path.parent / str(told.file)) as archive:
        assert archive.last_hash(30) == written[30].hash
        assert archive.rows(29, 1, 1)[0].body == b""


def test_the_first_page_may_be_gone_and_the_end_and_every_index(path: Path) -> None:
    damaged.fill(path)
    written = damaged.rows(path)
    data = path.read_bytes()
    pages = {data.index(row.body[:300]) // PAGE for row in written.values()}
    for page in set(range(len(data) // PAGE)) - pages:
        if data[page * PAGE] in (2, 5, 10) or page == 0:
            damaged.overwrite(path, page * PAGE, b"\xff" * PAGE)
    _, there = saved(put_aside(path), path)
    assert there == {seq: row.body for seq, row in written.items()}


def test_what_was_never_reported_as_recorded_is_not_saved(path: Path) -> None:
    journal = damaged.fill(path, close=False)
    epoch, seq, last = journal.head
    journal.append(more := sure(2))
    told, there = saved(put_aside(path, (epoch, seq, last)), path)
    journal.close()
    assert told.highest == seq
    assert max(there) == seq
    assert more


def test_the_end_that_is_missing_is_lost_and_its_hash_known(path: Path) -> None:
    damaged.fill(path)
    with History(path) as history:
        epoch, seq = str(history.epoch), history.head()[0]
    told, _ = saved(put_aside(path, (epoch, seq + 5, "ab" * 32)), path)
    assert told.lost == [(seq + 1, seq + 5)]
    with Saved(path.parent / str(told.file)) as archive:
        assert archive.head() == (seq + 5, "ab" * 32)


def test_anchors_and_records_that_outlived_them_are_saved(path: Path) -> None:
    journal = damaged.begin(path)
    kept = replace(inspection(5), tags={"challenge": "c-1"})
    journal.append([*sure(10), kept, disposition(kept, fate="hold"), *sure(10), alarm(1)])
    by = Acknowledged(journal.head[0], journal.head[1], journal.head[2], "a store")
    assert journal.prune(Prune(30, "2026-11-21T00:00:00Z", True, by)).through == 30
    journal.close()
    told, there = saved(put_aside(path), path)
    assert (told.lost, told.kept, min(there)) == ([], 2, 31)
    assert [one.complete for one in verify_saved(path.parent)] == [True]
    with Saved(path.parent / str(told.file)) as archive:
        assert archive.anchor.acknowledged_by == "a store"
        assert [one.stored.seq for one in archive.outlived(0, 9)] == [21, 22]


def test_pictures_are_found_and_those_given_up_are_not_missed(path: Path) -> None:
    images, journal = ImageStore(path.parent), damaged.begin(path)
    parts = [inspection(number) for number in range(3)]
    kept = [images.keep(part.id, NOON, part.id.encode()) for part in parts]
    journal.append([replace(p, image=image) for p, image in zip(parts, kept, strict=True)])
    journal._database.execute("UPDATE pictures SET removed = 2 WHERE seq = 2")
    (path.parent / kept[1].path).unlink()
    journal.close()
    told, _ = saved(put_aside(path), path)
    (rescue,) = verify_saved(path.parent)
    assert (rescue.finding.checked_pictures, rescue.finding.given_up) == (2, 1)
    assert rescue.complete
    (path.parent / kept[0].path).write_bytes(b"another")
    (rescue,) = verify_saved(path.parent)
    assert [bad.seq for bad in rescue.finding.pictures] == [1]
    assert told.rows == 3


def test_a_file_of_saved_records_that_is_damaged_again_is_found(path: Path) -> None:
    damaged.fill(path)
    told, _ = saved(put_aside(path), path)
    file = path.parent / str(told.file)
    whole, chance = file.read_bytes(), random.Random(8)
    body = whole.index(damaged.rows(file)[40].body)
    for _ in range(30):
        damaged.flip(file, chance, body + chance.randrange(400))
        (rescue,) = verify_saved(path.parent)
        assert not rescue.complete
        file.write_bytes(whole)


def test_nothing_but_noise_gives_no_file_and_ends(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(50_000))
    told = salvage.salvage(put_aside(path), path.parent)
    assert (told.file, told.rows, told.epoch) == (None, 0, None)
    assert unsaved(path.parent) == []
    assert verify_saved(path.parent) == []


def test_noise_of_which_the_end_was_known_is_told_as_lost(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(50_000))
    epoch = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    told, there = saved(put_aside(path, (epoch, 9, "cd" * 32)), path)
    assert (told.epoch, told.lost, there) == (epoch, [(1, 9)], {})


def test_parts_of_all_epochs_are_found(path: Path) -> None:
    journal = damaged.begin(path)
    first = inspection(1, part="P-1")
    waits = inspection(2, "escalate", asked=True, part="P-1")
    journal.append([first, disposition(first), waits], deadlines=due(waits))
    journal.close()
    case = put_aside(path)
    journal = damaged.begin(path)
    again = inspection(3, part="P-1")
    journal.append([again, disposition(again), disposition(waits, "person", "accept")])
    journal.close()
    salvage.salvage(case, path.parent)
    with History(path) as history:
        assert [json.loads(row.body)["id"] for row in history.find("P-1")] == [
            first.id,
            waits.id,
            again.id,
        ]
        story = history.story(waits.id)
        assert story is not None
        assert story.disposition is not None
        assert story.open is None
        newest = history.newest(10)
        assert [json.loads(row.body)["id"] for row in newest] == [first.id, waits.id, again.id]
        assert len(history.newest(2)) == 2
        assert history.holding(newest[0]).epoch != history.epoch
        assert history.holding(newest[2]).epoch == history.epoch


def test_the_child_saves_and_says_so_and_a_second_one_has_nothing_to_do(path: Path) -> None:
    damaged.fill(path)
    case = put_aside(path)
    assert [one.folder for one in unsaved(path.parent)] == [case.folder]
    command = [sys.executable, "-m", "edge.recovery.salvage", str(case.folder), str(path.parent)]
    for _ in range(2):
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    assert case.salvaged
    told = salvage.salvaged(case.folder)
    assert told is not None
    assert told["lost_records"] == 0
    shutil.rmtree(case.folder)
    sync_folder(path.parent)
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 1
