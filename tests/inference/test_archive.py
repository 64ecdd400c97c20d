import os
import zipfile
from io import BytesIO

import pytest

from inference.archive import as_zip
from inference.bundle import BundleError, confirm, load
from tests.inference.bundles import make


@pytest.fixture
def bundle(tmp_path):
    return make(tmp_path / "bundle")


def test_the_same_bundle_gives_the_same_bytes(bundle, tmp_path):
    first = as_zip(bundle)
    for number, path in enumerate(sorted(bundle.root.rglob("*"))):
        os.utime(path, (number, number))
    (bundle.root / "notes.txt").write_text("not a part of it")
    assert as_zip(load(bundle.root)) == first
    file = tmp_path / "a.zip"
    file.write_bytes(first)
    assert as_zip(load(file)) == first


def test_what_comes_out_is_the_bundle(bundle, tmp_path):
    file = tmp_path / "a.zip"
    file.write_bytes(as_zip(bundle))
    again = load(file)
    assert (again.digest, again.model) == (bundle.digest, bundle.model)
    assert again.confirmed is None


def test_a_confirmation_travels_along(bundle, tmp_path):
    before = as_zip(bundle)
    confirmed = confirm(bundle, "ann", "2026-11-20T12:00:00Z")
    file = tmp_path / "a.zip"
    file.write_bytes(as_zip(confirmed))
    assert file.read_bytes() != before
    assert load(file).confirmed == confirmed.confirmed


def test_entries_say_nothing_of_this_machine(bundle):
    with zipfile.ZipFile(BytesIO(as_zip(bundle))) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.external_attr == 0o100644 << 16


def test_a_file_that_changed_since_it_was_loaded(bundle):
    (bundle.root / "model.tflite").write_bytes(b"another")
    with pytest.raises(BundleError) as refused:
        as_zip(bundle)
    assert refused.value.code == "changed"
    (bundle.root / "model.tflite").unlink()
    with pytest.raises(BundleError) as refused:
        as_zip(bundle)
    assert refused.value.code == "unreadable"
