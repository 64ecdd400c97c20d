from __future__ import annotations

import random

import pytest

from inference.flatbuffer import Damaged
from inference.modelfile import read_model
from tests.simulators.tflite import bright_is_good, metadata, passing, with_files

DESCRIBED = with_files(
    bright_is_good(metadata=metadata("labels.txt", [127.5], [127.5], "rgb")),
    {"labels.txt": "good\ndefect\n", "other.txt": "no"},
)


def test_operators_are_named_and_the_ends_found():
    found = read_model(bright_is_good("int8"))
    assert found.operators == ("FULLY_CONNECTED", "MEAN", "SOFTMAX")
    assert (found.first, found.last) == ("MEAN", "SOFTMAX")
    assert found.custom == ()
    assert found.labels_text == ""


def test_metadata_and_the_appended_zip_are_read():
    found = read_model(DESCRIBED)
    assert found.mean == found.std == (127.5,)
    assert found.colour == "rgb"
    assert found.labels_text == "good\ndefect\n"
    assert found.notes == ()


def test_a_single_text_in_the_zip_holds_the_labels_also_without_metadata():
    model = with_files(bright_is_good(), {"labelmap.txt": "good\nbad"})
    assert read_model(model).labels_text == "good\nbad"


def test_custom_operators_are_listed():
    assert read_model(passing((1, 3), (1, 3), operator="my-op")).custom == ("my-op",)


def test_damaged_metadata_is_none_with_a_note():
    found = read_model(bright_is_good(metadata=b"\xff\xff\xff\xffM001" + b"\xff" * 20))
    assert found.mean == ()
    assert "damaged" in found.notes[0]


def test_what_is_no_model_is_damaged():
    for content in (b"", b"TFL3", b"\0\0\0\0TFL3", b"x" * 100):
        with pytest.raises(Damaged):
            read_model(content)


def test_any_damage_is_survived():
    chance = random.Random(4)
    for _ in range(400):
        content = bytearray(DESCRIBED)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            read_model(bytes(content[: chance.randint(1, len(content))]))
        except Damaged:
            continue
