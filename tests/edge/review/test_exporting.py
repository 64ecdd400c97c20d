"""Labelled pictures out: where they lie, what stands beside them, and what is left out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.review.dataset import Wanted
from edge.review.exporting import DAMAGED, GONE, NO_PICTURE
from edge.review.out_folder import OutFolder
from edge.review.places import ELSEWHERE, folder_name
from edge.review.split import SPLITS, Shares
from edge.store.errors import StoreError
from tests.edge.review.labelled import Labelled, left_out, manifest, pictures, rows
from tests.edge.store.builders import inspection

HOSTILE = ["../../evil", "<script>alert(1)</script>", "a\0b", "/etc", "..", "", "=cmd()", "né", "."]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Labelled]:
    made = Labelled(tmp_path)
    yield made
    made.close()


def test_folders_by_split_and_label(station: Labelled, tmp_path: Path) -> None:
    good = [station.good(f"G-{n}") for n in range(20)]
    bad = [station.defect("scratch", f"S-{n}") for n in range(20)]
    report = station.export()
    found = pictures(tmp_path / "out")
    assert set(found) == {one.id for one in (*good, *bad)}
    for one in good:
        assert found[one.id].split("/")[1:-1] == ["good"]
    for one in bad:
        assert found[one.id].split("/")[1:-1] == ["defect", "scratch"]
    assert {place.split("/")[0] for place in found.values()} == set(SPLITS)
    assert report.manifest["figures"]["train"] == {"defect/scratch": 14, "good": 14}
    assert manifest(tmp_path / "out")["complete"] is True


def test_a_row_says_everything(station: Labelled, tmp_path: Path) -> None:
    made = station.part(
        "P-1",
        model={"name": "caps", "version": "2.0.1", "bundle": "b" * 64},
        spot_check={"p": 0.125, "drawn": True},
    )
    station.says(made, "reject", "p-7", label="scratch", answer_shown=True)
    station.export()
    (row,) = rows(tmp_path / "out").values()
    expected = {
        "inspection": made.id, "part": "P-1", "label": "defect", "type": "scratch",
        "verdict": "reject", "by": "p-7", "basis": "picture", "answer_shown": "true",
        "corrected": "false", "answers": "1", "decision": "escalate", "disposition": "reject",
        "disposition_by": "person", "score": "0.25", "predicted": "good", "asked": "true",
        "asked_probability": "1.0", "spot_check_drawn": "true", "spot_check_p": "0.125",
        "automation": "partial", "model": "caps", "version": "2.0.1", "bundle": "b" * 64,
        "view": "v" * 64, "challenge": "false", "truth": "", "use": "training",
        "exported_before": "", "station": "plant-a/line-3/caps",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["scores"]) == {"good": 0.75, "defect": 0.25}
    stored = tmp_path / "out" / row["file"]
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == row["sha256"]
    assert row["file"].startswith(row["split"] + "/defect/scratch/")


def test_all_inspections_of_a_part_are_in_one_split(station: Labelled, tmp_path: Path) -> None:
    twice = [[station.good(f"P-{n}") for n in range(30)] for _ in range(2)]
    alone = [station.good() for _ in range(10)]
    station.export()
    table = rows(tmp_path / "out")
    for first, second in zip(*twice, strict=True):
        assert table[first.id]["split"] == table[second.id]["split"]
    assert len({table[one.id]["split"] for one in alone}) > 1


def test_an_export_next_year_gives_the_same_answer(station: Labelled, tmp_path: Path) -> None:
    for number in range(30):
        station.good(f"P-{number}")
    station.export()
    first = {one: row["split"] for one, row in rows(tmp_path / "out").items()}
    for number in range(15, 80):
        station.defect("dent", f"P-{number}")
    station.export(shares=Shares(20, 40, 40))
    later = {one: row["split"] for one, row in rows(tmp_path / "out").items()}
    assert {one: later[one] for one in first} == first
    station.export("elsewhere")
    again = {one: row["split"] for one, row in rows(tmp_path / "elsewhere").items()}
    assert again == later
    assert manifest(tmp_path / "elsewhere")["split"] == "20/40/40"


def test_equal_pictures_are_never_in_two_splits(station: Labelled, tmp_path: Path) -> None:
    same = [station.good(f"P-{n}", data=b"one and the same") for n in range(12)]
    station.export()
    table = rows(tmp_path / "out")
    assert len({table[one.id]["split"] for one in same}) == 1
    # Two parts that have their splits already, and then show the same.
    apart: dict[str, str] = {}
    for number in range(10):
        made = station.good(f"Q-{number}")
        station.export()
        apart.setdefault(rows(tmp_path / "out")[made.id]["split"], f"Q-{number}")
    one, other = list(apart.values())[:2]
    station.good(one, data=b"later the same")
    station.good(other, data=b"later the same")
    assert left_out(station.export())[ELSEWHERE] == 1


@pytest.mark.parametrize("label", HOSTILE)
def test_nothing_leaves_the_folder(station: Labelled, tmp_path: Path, label: str) -> None:
    station.defect(label, part=label or None)
    station.export("deep/out")
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"state", "deep"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    (place,) = pictures(tmp_path / "deep/out").values()
    split, kind, type_, _ = place.split("/")
    assert (split in SPLITS, kind) == (True, "defect")
    assert type_ == folder_name(label)
    assert (tmp_path / "deep/out" / place).is_file()
    (row,) = rows(tmp_path / "deep/out").values()
    assert not row["type"].startswith(("=", "+", "-", "@"))
    assert "\0" not in row["part"]


def test_names_of_types_as_folders() -> None:
    assert [folder_name(one) for one in ("Scratch ", "öl fleck", "a/b", "con..", "x" * 99)] == [
        "scratch", "ol_fleck", "a_b", "con", "x" * 60,
    ]  # fmt: skip
    assert {folder_name(one) for one in (None, "", "..", "///", "日本")} == {"unknown"}


def test_what_a_spreadsheet_would_run_gets_an_apostrophe(station: Labelled, tmp_path: Path):
    made = station.defect("=HYPERLINK(1)", "@part")
    station.export()
    row = rows(tmp_path / "out")[made.id]
    assert (row["type"], row["part"]) == ("'=HYPERLINK(1)", "'@part")


def test_pictures_that_are_not_what_was_recorded(station: Labelled, tmp_path: Path) -> None:
    sound, damaged, gone = station.good("A"), station.good("B"), station.good("C")
    never = station.good("D", data=b"")
    assert damaged.image is not None
    assert gone.image is not None
    (tmp_path / "state" / damaged.image.path).write_bytes(b"something else")
    (tmp_path / "state" / gone.image.path).unlink()
    report = station.export()
    assert left_out(report) == {NO_PICTURE: 1, GONE: 1, DAMAGED: 1}
    examples = {one["why"]: one["examples"] for one in report.manifest["left_out"]}
    assert examples[DAMAGED] == [damaged.id]
    assert examples[NO_PICTURE] == [never.id]
    assert set(pictures(tmp_path / "out")) == set(rows(tmp_path / "out")) == {sound.id}
    # A damaged one was not exported: what is new still has it.
    assert manifest(tmp_path / "out")["left_out"] == report.manifest["left_out"]


def test_a_link_out_of_images_is_no_picture(station: Labelled, tmp_path: Path) -> None:
    made = station.good("A", data=b"secret")
    assert made.image is not None
    stored = tmp_path / "state" / made.image.path
    (tmp_path / "secret").write_bytes(b"secret")
    stored.unlink()
    stored.symlink_to(tmp_path / "secret")
    for link in (False, True):
        assert left_out(station.export(f"out-{link}", link=link)) == {DAMAGED: 1}
        assert pictures(tmp_path / f"out-{link}") == {}


def test_disputed_unsure_taken_back_and_of_the_part(station: Labelled, tmp_path: Path) -> None:
    disputed = station.good("A")
    station.says(disputed, "reject", "p-2", label="dent")
    station.says(station.part("B"), "unsure")
    back = station.part("C")
    station.corrects(back, station.says(back, "accept"), None)
    station.says(station.part("D"), "reject", basis="part")
    station.good("E")
    report = station.export()
    assert left_out(report) == {
        "the person was unsure": 1,
        "the answer was taken back": 1,
        "said of the part, not of its picture (--with-part-basis)": 1,
    }
    assert pictures(tmp_path / "out")[disputed.id] == f"disputed/{disputed.id}.jpg"
    assert disputed.id not in rows(tmp_path / "out")
    lines = (tmp_path / "out" / "disputed.csv").read_text().splitlines()
    assert [line.split(",")[4:7] for line in lines[1:]] == [
        ["accept", "", "p-1"], ["reject", "dent", "p-2"],
    ]  # fmt: skip
    more = station.export("more", Wanted(part_basis=True))
    assert more.manifest["figures"]["part_basis"] == 1
    (row,) = [row for row in rows(tmp_path / "more").values() if row["use"] == "part"]
    assert (row["file"], row["split"], row["label"]) == ("", "", "defect")


def test_the_corrected_label_counts_and_the_picture_moves(station: Labelled, tmp_path: Path):
    made = station.part("A")
    given = station.says(made, "accept")
    station.export()
    assert "/good/" in pictures(tmp_path / "out")[made.id]
    station.corrects(made, given, "reject", label="stain")
    station.export()
    assert "/defect/stain/" in pictures(tmp_path / "out")[made.id]
    row = rows(tmp_path / "out")[made.id]
    assert (row["corrected"], row["by"], row["exported_before"]) == ("true", "p-9", "good")
    split = row["split"]
    assert not (tmp_path / "out" / split / "good").exists()


def test_only_what_is_new(station: Labelled, tmp_path: Path) -> None:
    first, second = station.part("A"), station.good("B")
    given = station.says(first, "accept")
    station.export("one")
    assert station.export("two", new=True).rows == 0
    assert not (tmp_path / "two").exists()
    third = station.good("C")
    station.corrects(first, given, "reject")
    report = station.export("two", new=True)
    assert set(pictures(tmp_path / "two")) == {first.id, third.id}
    assert second.id not in rows(tmp_path / "two")
    assert report.manifest["figures"]["exported_before"] == 1
    with pytest.raises(StoreError, match="not empty"):
        station.export("one", new=True)


def test_challenge_parts_are_apart(station: Labelled, tmp_path: Path) -> None:
    plain = inspection(900, part="X")
    kept = station.images.keep(plain.id, plain.captured.wall, b"challenge")
    of_challenge = replace(plain, image=kept, tags={"challenge": "c"}, truth="defect")
    station.line.append([of_challenge])
    station.says(of_challenge, "accept")
    unanswered = replace(inspection(901, part="Y"), tags={"challenge": "c"}, truth="good")
    kept = station.images.keep(unanswered.id, unanswered.captured.wall, b"another")
    station.line.append([replace(unanswered, image=kept)])
    station.good("Z")
    report = station.export()
    assert left_out(report) == {"a challenge part (--with-challenge)": 1}
    station.export("more", Wanted(challenge=True))
    table = rows(tmp_path / "more")
    row = table[of_challenge.id]
    assert (row["challenge"], row["truth"], row["label"]) == ("true", "defect", "defect")
    assert (row["verdict"], row["asked_probability"]) == ("accept", "")
    assert table[unanswered.id]["label"] == "good"
    assert "/defect/unknown/" in row["file"]


def test_since_and_until(station: Labelled, tmp_path: Path) -> None:
    made = [station.good(f"P-{n}") for n in range(4)]
    times = [one.content()["captured_at"] for one in made]
    station.export("out", Wanted(since=str(times[1]), until=str(times[3])))
    assert set(rows(tmp_path / "out")) == {made[1].id, made[2].id}


def test_a_dry_run_says_the_same_and_writes_nothing(station: Labelled, tmp_path: Path) -> None:
    for number in range(8):
        station.good(f"P-{number}")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    said = station.export(dry_run=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert station.export().manifest == said.manifest


def test_nothing_to_export(station: Labelled, tmp_path: Path) -> None:
    station.says(station.part("A"), "unsure")
    report = station.export()
    assert report.rows == 0
    assert not (tmp_path / "out").exists()


def test_folders_that_are_no_earlier_export(station: Labelled, tmp_path: Path) -> None:
    station.good("A")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "holiday.jpg").write_bytes(b"x")
    for name, words in (("foreign", "no earlier export"), ("state/out", "inside the state")):
        with pytest.raises(StoreError, match=words):
            station.export(name)
    assert [path.name for path in foreign.iterdir()] == ["holiday.jpg"]
    (foreign / "export.json").write_text('{"schema": "export/1", "station": "a/b/other"}')
    with pytest.raises(StoreError, match="an export of a/b/other"):
        station.export("foreign")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="no folder"):
        station.export("file")


def test_what_others_put_there_stays(station: Labelled, tmp_path: Path) -> None:
    station.good("A")
    station.export()
    note = tmp_path / "out" / "train" / "read me.txt"
    note.parent.mkdir(exist_ok=True)
    note.write_text("ours")
    station.export()
    assert note.read_text() == "ours"


def test_an_export_that_was_broken_off_goes_on(station: Labelled, tmp_path: Path, monkeypatch):
    made = [station.good(f"P-{n}") for n in range(6)]
    put, calls = OutFolder.put, []

    def failing(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        put(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(OutFolder, "put", failing)
    with pytest.raises(OSError, match="No space"):
        station.export()
    assert manifest(tmp_path / "out")["complete"] is False
    monkeypatch.undo()
    assert station.export("new", new=True).rows == 6  # nothing was marked
    station.export()
    assert manifest(tmp_path / "out")["complete"] is True
    assert set(pictures(tmp_path / "out")) == {one.id for one in made}
    assert not list((tmp_path / "out").rglob("*.part"))
    splits = {one: row["split"] for one, row in rows(tmp_path / "new").items()}
    assert {one: row["split"] for one, row in rows(tmp_path / "out").items()} == splits


def test_links_share_the_file_and_copies_do_not(station: Labelled, tmp_path: Path) -> None:
    made = station.good("A")
    assert made.image is not None
    stored = os.stat(tmp_path / "state" / made.image.path)
    station.export("linked", link=True)
    station.export("linked", link=True)
    station.export("copied")
    place = pictures(tmp_path / "linked")[made.id]
    assert os.stat(tmp_path / "linked" / place).st_ino == stored.st_ino
    assert os.stat(tmp_path / "copied" / place).st_ino != stored.st_ino


def test_damaged_records_are_counted_and_stop_nothing(station: Labelled, tmp_path: Path) -> None:
    station.says(replace(inspection(700), id="no-such-inspection"), "accept")
    sound = station.good("A")
    report = station.export()
    assert left_out(report) == {"its inspection is no longer stored": 1}
    assert set(rows(tmp_path / "out")) == {sound.id}


def test_no_part_id_no_note_and_a_note_says_which_part(station: Labelled, tmp_path: Path) -> None:
    named, plain = station.good("A"), station.good()
    station.export()
    found = pictures(tmp_path / "out")
    note = json.loads((tmp_path / "out" / found[named.id]).with_suffix(".json").read_text())
    assert (note["schema"], note["part_id"]) == ("captured/1", "A")
    assert not (tmp_path / "out" / found[plain.id]).with_suffix(".json").exists()
