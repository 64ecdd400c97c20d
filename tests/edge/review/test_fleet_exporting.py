"""Labelled pictures of several stations, from the central database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.review.dataset import Wanted
from edge.review.fleet_exporting import DAMAGED, NO_PICTURE, Wishes, export_fleet, split_of
from edge.review.split import Shares
from edge.store.archive import Archive
from edge.store.errors import StoreError
from sync.chain import GENESIS
from sync.fleet.arrival import read
from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.fleet.gallery import Gallery
from sync.fleet.tables import picture_files
from sync.picture import Piece
from sync.segment import encode, join
from sync.topics import Station
from tests.edge.review.labelled import STATION, Labelled, manifest, pictures, rows

NOON = "2026-11-20T12:00:00.000Z"


class Fleet:
    """A central database that has what a station has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder}/fleet.db"
        self.database = Database(self.url)
        self.central = Central(self.database, lambda: NOON)
        self.gallery = Gallery(self.database, lambda: NOON)
        self.central.open()

    def collect(self, station: Labelled, images: bool = True) -> None:
        for stream in ("line", "queue"):
            with Archive(station.state / f"{stream}.db") as archive:
                bodies = [row.body for row in archive.rows(0, 1000, 1 << 24)]
                assert archive.epoch is not None
                segment = join(stream, archive.epoch, 1, GENESIS, bodies)
            topic = Station.parse(STATION).results(stream)
            self.central.commit([read(topic, encode(segment))]).finish()
        for path in sorted(station.state.glob("images/**/*.jpg")) if images else ():
            self.send(path.stem, path)

    def send(self, inspection: str, path: Path) -> None:
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        piece = Piece(inspection, f"images/{path.name}", digest, len(data), 0, data)
        self.gallery.take([(STATION, piece)])

    def export(self, out: str = "out", **more: Any) -> dict[str, Any]:
        wishes = Wishes(self.folder / out, more.pop("wanted", Wanted()), **more)
        return export_fleet(self.database, wishes, NOON, lambda done, of: None)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Labelled]:
    made = Labelled(tmp_path)
    yield made
    made.close()


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path)
    yield made
    made.database.close()


def test_pictures_go_to_their_label_with_their_bytes(station: Labelled, fleet: Fleet) -> None:
    good, bad = station.good("P-1"), station.defect("defect/scratch", "P-2")
    unsure = station.part("P-3")
    station.says(unsure, "unsure")
    fleet.collect(station)
    done = fleet.export()
    out = fleet.folder / "out"
    found = pictures(out)
    assert set(found) == {good.id, bad.id}
    assert "/good/" in found[good.id]
    assert "/defect/scratch/" in found[bad.id]
    assert good.image is not None
    assert (out / found[good.id]).read_bytes() == (station.state / good.image.path).read_bytes()
    assert rows(out)[bad.id]["station"] == STATION
    assert done["stations"] == {STATION: 2}
    assert done["left_out"][0]["why"] == "the person was unsure"
    assert manifest(out)["complete"] is True


def test_corrections_and_disputes_count_as_at_the_station(station: Labelled, fleet: Fleet) -> None:
    corrected, disputed = station.good("P-1"), station.good("P-2")
    station.corrects(corrected, None, "reject", label="defect/dent")
    station.says(disputed, "reject", by="p-2")
    fleet.collect(station)
    done = fleet.export()
    found = pictures(fleet.folder / "out")
    assert "/defect/dent/" in found[corrected.id]
    assert found[disputed.id].startswith("disputed/")
    assert done["figures"]["disputed"] == 1


def test_what_was_not_collected_is_left_out_with_the_reason(
    station: Labelled, fleet: Fleet
) -> None:
    first, second = station.good("P-1"), station.good("P-2")
    fleet.collect(station, images=False)
    assert first.image is not None
    fleet.send(first.id, station.state / first.image.path)
    done = fleet.export()
    assert set(pictures(fleet.folder / "out")) == {first.id}
    assert {left["why"]: left["examples"] for left in done["left_out"]} == {NO_PICTURE: [second.id]}


def test_a_picture_damaged_in_the_database_is_not_written(station: Labelled, fleet: Fleet) -> None:
    station.good("P-1")
    fleet.collect(station)
    with fleet.database.transaction() as connection:
        connection.execute(picture_files.update().values(data=b"other bytes"))
    done = fleet.export()
    assert not pictures(fleet.folder / "out")
    assert [left["why"] for left in done["left_out"]] == [DAMAGED]


def test_only_the_wanted_stations_and_times(station: Labelled, fleet: Fleet) -> None:
    station.good("P-1")
    fleet.collect(station)
    assert fleet.export("a", stations=("plant-z/*",))["rows"] == 0
    assert fleet.export("b", stations=(f"{STATION.split('/')[0]}/*/*",))["rows"] == 1
    assert fleet.export("c", wanted=Wanted(since="2030-01-01T00:00:00.000Z"))["rows"] == 0
    assert not (fleet.folder / "a").exists()


def test_without_pictures_nothing_is_begun_and_a_dry_run_says_so(
    station: Labelled, fleet: Fleet
) -> None:
    station.good("P-1")
    fleet.collect(station, images=False)
    dry, done = fleet.export(dry_run=True), fleet.export()
    assert (dry["rows"], done["rows"]) == (0, 0)
    assert dry["left_out"] == done["left_out"]
    assert not (fleet.folder / "out").exists()


def test_a_dry_run_and_another_folder_write_nothing(station: Labelled, fleet: Fleet) -> None:
    station.good("P-1")
    fleet.collect(station)
    assert fleet.export(dry_run=True)["rows"] == 1
    assert not (fleet.folder / "out").exists()
    (fleet.folder / "theirs").mkdir()
    (fleet.folder / "theirs" / "work.txt").write_text("mine")
    with pytest.raises(StoreError, match="not empty"):
        fleet.export("theirs")


def test_a_station_cannot_write_outside_or_speak_for_another(
    station: Labelled, fleet: Fleet
) -> None:
    station.good("P-1")
    fleet.collect(station)
    with fleet.database.transaction() as connection:
        text = connection.exec_driver_sql(
            "SELECT body FROM records WHERE schema = 'inspection/1'"
        ).scalar()
        other = json.dumps({**json.loads(str(text)), "station": "plant-z/line-1/theirs"})
        connection.exec_driver_sql(
            "UPDATE records SET body = ? WHERE schema = 'inspection/1'", (other,)
        )
    done = fleet.export()
    assert done["rows"] == 0
    assert [left["why"] for left in done["left_out"]] == ["a damaged record"]


@given(st.text(), st.integers(0, 100), st.integers(0, 100))
def test_a_part_always_gets_the_same_split_and_never_one_without_a_share(
    part: str, train: int, test: int
) -> None:
    part = part.encode("utf-8", "backslashreplace").decode()
    train = min(train, 100 - test)
    shares = Shares(train, 100 - train - test, test)
    split = split_of(part, shares)
    assert split == split_of(part, shares)
    assert shares.of(split) > 0


def test_the_shares_are_met_on_average() -> None:
    found = [split_of(f"plant part P-{number}", Shares()) for number in range(20_000)]
    assert 0.68 < found.count("train") / len(found) < 0.72
    assert 0.135 < found.count("test") / len(found) < 0.165
