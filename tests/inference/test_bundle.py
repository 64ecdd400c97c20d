from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from inference import bundle
from inference.bundle import BundleError
from inference.spec import Label, ModelSpec, OutputSpec
from tests.inference.bundles import make, manifest, spec
from tests.simulators.tflite import bright_is_good


def zipped(folder: Path, prefix: str = "") -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.fixture
def made(tmp_path):
    return bundle.write(
        tmp_path / "bright",
        manifest(),
        bright_is_good("int8"),
        golden={"a.png": (b"picture", 0.25)},
        baseline={"familiar": {"brightness": [1, 2]}},
        tolerance=0.03,
    )


def test_what_is_written_is_read(made):
    assert (made.name, made.version) == ("bright", "1.2.3")
    assert made.model == bright_is_good("int8")
    assert made.golden.scores == {"a.png": 0.25}
    assert made.golden.tolerance == 0.03
    assert made.baseline == {"familiar": {"brightness": [1, 2]}}
    assert made.golden_picture("a.png") == b"picture"
    assert made.as_record()["bundle"] == made.digest


def test_the_digest_is_the_one_that_is_documented(made):
    hashes = {
        path.relative_to(made.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.root.rglob("*")
        if path.is_file() and path.name != "hashes.json"
    }
    text = json.dumps(hashes, sort_keys=True, separators=(",", ":"))
    assert set(hashes) == {
        "bundle.yaml", "model.tflite", "baseline.json", "golden/a.png", "golden/expected.json",
    }  # fmt: skip
    assert made.digest == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("prefix", ["", "bright/"])
def test_a_zip_is_the_same_bundle(made, prefix):
    found = bundle.load(zipped(made.root, prefix))
    assert found.digest == made.digest
    assert found.model == made.model
    assert found.golden_picture("a.png") == b"picture"


@pytest.mark.parametrize("name", ["bundle.yaml", "model.tflite", "baseline.json", "golden/a.png"])
def test_every_file_changes_the_digest(made, name):
    (made.root / "hashes.json").unlink()
    path = made.root / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert bundle.load(made.root).digest != made.digest


@pytest.mark.parametrize(
    "name", ["model.tflite", "golden/a.png", "golden/expected.json", "baseline.json"]
)
def test_damage_to_what_was_packed_is_named(made, name):
    path = made.root / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match="not the bytes that were packed") as caught:
        bundle.load(made.root)
    assert caught.value.code == "changed"
    assert name in caught.value.problems[0]


def test_other_files_do_not_change_the_digest(made):
    (made.root / "notes.txt").write_text("hello")
    assert bundle.load(made.root).digest == made.digest


def test_the_bytes_hashed_are_the_bytes_kept(made):
    (made.root / "model.tflite").write_bytes(b"something else")
    assert hashlib.sha256(made.model).hexdigest() == made.hashes["model.tflite"]


def test_a_golden_picture_that_changed_is_refused(made):
    (made.root / "golden/a.png").write_bytes(b"another")
    with pytest.raises(BundleError) as caught:
        made.golden_picture("a.png")
    assert caught.value.code == "changed"


def test_a_guess_is_unconfirmed_until_somebody_confirms_this_digest(tmp_path):
    guessed = make(tmp_path, provenance={"colour": "guessed"})
    assert guessed.unconfirmed
    confirmed = bundle.confirm(guessed, "anna", "2026-11-20T12:00:00Z")
    assert not confirmed.unconfirmed
    again = bundle.load(guessed.root)
    assert not again.unconfirmed
    assert again.digest == guessed.digest
    assert again.confirmed is not None
    assert again.confirmed.by == "anna"
    (guessed.root / "baseline.json").write_text("{}")
    (guessed.root / "hashes.json").unlink()
    assert bundle.load(guessed.root).unconfirmed


def test_a_confirmation_that_is_damaged_counts_as_none(tmp_path):
    guessed = make(tmp_path, provenance={"colour": "guessed"})
    (guessed.root / "confirmed.json").write_text("[]")
    assert bundle.load(guessed.root).unconfirmed


def test_without_guesses_nothing_need_be_confirmed(made):
    assert not made.unconfirmed


def test_a_zip_cannot_be_confirmed(tmp_path):
    packed = bundle.load(zipped(make(tmp_path, provenance={"colour": "guessed"}).root))
    with pytest.raises(BundleError, match="zip"):
        bundle.confirm(packed, "anna", "now")


def test_a_thousand_labels_with_strange_names(tmp_path):
    labels = tuple(
        Label(f"{i}: it's “{i}”, null", "good" if i == 500 else "defect") for i in range(1001)
    )
    strange = ModelSpec(spec("float32").input, OutputSpec("softmax", "float32", labels))
    found = bundle.write(tmp_path / "b", manifest("float32", **{"spec": strange}), b"model")
    assert found.spec.output.labels == labels


def test_all_problems_are_told_at_once(made):
    (made.root / "hashes.json").unlink()
    (made.root / "bundle.yaml").write_text("schema: bundle/1\nname: X X\n")
    (made.root / "baseline.json").write_text("nope")
    (made.root / "golden/expected.json").write_text('{"scores": {"b.png": 7}}')
    with pytest.raises(BundleError) as caught:
        bundle.load(made.root)
    text = str(caught.value)
    for words in ("name: 'X X'", "input: missing", "baseline.json: not JSON", "7 is not a score"):
        assert words in text
    assert "golden/b.png: missing" in text
    assert caught.value.hint


@pytest.mark.parametrize("name", ["bundle.yaml", "model.tflite"])
def test_a_missing_file_is_named(made, name):
    (made.root / name).unlink()
    with pytest.raises(BundleError, match=f"{name}: missing"):
        bundle.load(made.root)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"text"])
def test_what_is_no_zip_is_unreadable(tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(BundleError) as caught:
        bundle.load(path)
    assert caught.value.code == "unreadable"


def test_a_damaged_zip_never_raises_anything_else(made):
    content = zipped(made.root).read_bytes()
    path = made.root.parent / "damaged.zip"
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            found = bundle.load(path)
        except BundleError:
            continue
        if found.digest != made.digest:  # else the damage is in what nobody reads
            assert len(found.hashes) < len(made.hashes)  # an entry lost its name


def test_nothing_at_the_path_is_missing(tmp_path):
    with pytest.raises(BundleError) as caught:
        bundle.load(tmp_path / "none")
    assert caught.value.code == "missing"


def test_a_bundle_for_a_later_version_is_refused(tmp_path):
    later = make(tmp_path, minimum_app_version="2.10.0")
    assert bundle.load(later.root, "2.10.0").digest == later.digest
    with pytest.raises(BundleError, match=r"needs Edge Inspect 2.10.0; this is 2.9.0") as caught:
        bundle.load(later.root, "2.9.0")
    assert caught.value.code == "too_new"


def test_nothing_is_ever_overwritten(made):
    with pytest.raises(BundleError) as caught:
        bundle.write(made.root, manifest(), b"other")
    assert caught.value.code == "exists"
    assert bundle.load(made.root).digest == made.digest


def test_a_link_out_of_the_bundle_is_not_followed(made, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s")
    (made.root / "golden/link.png").symlink_to(secret)
    with pytest.raises(BundleError, match="outside"):
        bundle.load(made.root)


def test_copies_have_the_same_digest(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "copy")
    assert bundle.load(tmp_path / "copy").digest == made.digest
