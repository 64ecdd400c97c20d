from __future__ import annotations

import json

import pytest

from inference.seal import broken, seal

FILES = {
    "bundle.yaml": b"name: x",
    "model.tflite": b"model",
    "baseline.json": b"{}",
    "golden/a.png": b"picture",
    "golden/expected.json": b"{}",
}


def test_what_was_sealed_is_whole():
    assert broken(seal(FILES), FILES) == []
    assert broken(None, FILES) == []


def test_what_persons_edit_is_not_under_it():
    assert broken(seal(FILES), {**FILES, "bundle.yaml": b"name: y", "notes.txt": b""}) == []


@pytest.mark.parametrize("name", [name for name in FILES if name != "bundle.yaml"])
def test_a_file_that_is_missing_or_another_one_is_named(name):
    (text,) = broken(seal(FILES), {**FILES, name: b"other"})
    assert text.startswith(f"{name}: not the bytes that were packed")
    (text,) = broken(seal(FILES), {key: FILES[key] for key in FILES if key != name})
    assert text == f"{name}: missing, but hashes.json names it"


def test_a_file_under_a_new_name_is_named_twice():
    files = {**FILES, "golden/b.png": FILES["golden/a.png"]}
    del files["golden/a.png"]
    assert len(broken(seal(FILES), files)) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_a_damaged_seal_is_damage(content):
    assert broken(content, FILES)


def test_its_text_is_always_the_same():
    assert seal(FILES) == seal(dict(reversed(FILES.items())))
    assert set(json.loads(seal(FILES))) == set(FILES) - {"bundle.yaml"}
