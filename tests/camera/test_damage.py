import pytest

from camera.damage import damage
from tests.camera.pictures import encoded, photograph

PNG = encoded(photograph(), ".png")
BMP = encoded(photograph(), ".bmp")
WEBP = encoded(photograph(), ".webp")
TIFF = encoded(photograph(), ".tiff")


def name(data: bytes) -> str | None:
    doubt = damage(data)
    return None if doubt is None else doubt.name


@pytest.mark.parametrize("data", [PNG, BMP, WEBP, TIFF], ids=["png", "bmp", "webp", "tiff"])
def test_a_sound_file_is_not_doubted(data):
    assert damage(data) is None


@pytest.mark.parametrize("data", [PNG, BMP, WEBP], ids=["png", "bmp", "webp"])
def test_every_truncation_is_seen(data):
    assert {name(data[:end]) for end in range(30, len(data), 997)} == {"truncated"}


def test_what_follows_the_end_is_no_damage():
    assert damage(PNG + b"more") is None
    assert damage(BMP + b"more") is None


def test_one_changed_byte_of_a_png_is_seen():
    at = len(PNG) // 2
    assert name(PNG[:at] + bytes([PNG[at] ^ 1]) + PNG[at + 1 :]) == "damaged"


def test_a_bmp_without_a_size_is_damaged():
    assert name(BMP[:18] + bytes(4) + BMP[22:]) == "damaged"
