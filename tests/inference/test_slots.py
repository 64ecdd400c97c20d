from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import pytest

from inference import bundle, slots
from inference.bundle import BundleError
from inference.slots import Slots
from tests.inference.bundles import make


@pytest.fixture
def place(tmp_path):
    return Slots(tmp_path / "slots")


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def test_a_bundle_from_a_folder_or_a_zip_is_the_same_one(tmp_path, place):
    made = make(tmp_path)
    assert place.read("a") is None
    assert place.put(made.root, "a", made.digest).digest == made.digest
    assert place.put(zipped(made.root), "b").digest == made.digest
    again = place.read("b")
    assert again is not None
    assert again.model == made.model


def test_another_bundle_takes_the_place_of_the_one_before(tmp_path, place):
    first, second = make(tmp_path / "1"), make(tmp_path / "2", "float32")
    place.put(first.root, "a")
    place.put(second.root, "a")
    found = place.read("a")
    assert found is not None
    assert found.digest == second.digest


def test_the_digest_that_was_promised_must_be_there(tmp_path, place):
    made, other = make(tmp_path / "1"), make(tmp_path / "2", "float32")
    place.put(made.root, "a")
    with pytest.raises(BundleError, match="is the bundle") as caught:
        place.put(other.root, "a", made.digest)
    assert caught.value.code == "changed"
    found = place.read("a")
    assert found is not None
    assert found.digest == made.digest  # what was there stays


def test_only_what_belongs_to_a_bundle_is_copied(tmp_path, place):
    made = make(tmp_path, provenance={"colour": "guessed"})
    bundle.confirm(made, "anna", "now")
    (made.root / "calibrations").mkdir()
    (made.root / "calibrations" / "x.json").write_text("{}")
    put = place.put(made.root, "a")
    assert not put.unconfirmed
    assert not (put.root / "calibrations").exists()


def test_what_rots_in_a_slot_is_noticed(tmp_path, place):
    made = make(tmp_path)
    (made.root / "hashes.json").unlink()  # as in a zip that holds no more than the digest names
    path = place.put(made.root, "a").root / "model.tflite"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not the bytes that were packed"):
        place.read("a")


@pytest.mark.parametrize("at", range(4))
def test_a_slot_holds_one_bundle_or_none_wherever_it_is_interrupted(
    tmp_path, place, monkeypatch, at
):
    """The power is cut before the at-th change of a name."""
    first, second = make(tmp_path / "1"), make(tmp_path / "2", "float32")
    place.put(first.root, "a")
    rename, calls = Path.rename, []

    def cut(path, target):
        if Path(path).parent.name == "slots" or Path(target).parent.name == "slots":
            calls.append(path)
            if len(calls) > at:
                raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", cut)
    with contextlib.suppress(KeyboardInterrupt):
        place.put(second.root, "a")
    monkeypatch.undo()
    later = Slots(tmp_path / "slots")
    found = later.read("a")
    assert found is None or found.digest in (first.digest, second.digest)
    assert later.put(second.root, "a").digest == second.digest
    assert [path.name for path in (tmp_path / "slots").iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("taken", "free"),
    [((), "a"), (("a",), "b"), (("b", None), "a"), (("a", "b"), "a"), (("b", "a"), "b")],
)
def test_the_slot_to_use_is_the_one_that_matters_least(place, taken, free):
    assert place.free(taken) == free


def test_a_disk_that_reads_back_something_else_is_named(tmp_path, place, monkeypatch):
    made, other = make(tmp_path / "1"), make(tmp_path / "2", "float32")
    found = {made.root: made}
    monkeypatch.setattr(slots, "load", lambda path, _=None: found.get(path, other))
    with pytest.raises(OSError, match="reads back as another"):
        place.put(made.root, "a")
    assert not place.path("a").exists()
