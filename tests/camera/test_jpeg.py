import pytest

from camera.jpeg import jpeg_damage
from tests.camera.pictures import flat, jpeg, photograph, zeroed

SOUND = jpeg(photograph())


def name(data: bytes) -> str | None:
    doubt = jpeg_damage(data)
    return None if doubt is None else doubt.name


def test_truncation_is_measured_where_the_file_ends():
    doubt = jpeg_damage(SOUND[:1000])
    assert doubt is not None
    assert (doubt.name, doubt.measured) == ("truncated", 1000.0)


def test_every_cut_before_the_end_marker_is_seen():
    assert all(name(SOUND[:end]) == "truncated" for end in range(3, len(SOUND) - 1, 37))
    assert name(SOUND[:-1]) == "truncated"
    assert name(SOUND) is None


def test_zero_bytes_are_measured_where_they_begin():
    damaged = zeroed(SOUND, 0.5, 0.05)
    doubt = jpeg_damage(damaged)
    assert doubt is not None
    assert doubt.name == "zeroed"
    assert doubt.measured == pytest.approx(len(SOUND) * 0.5, abs=2)


def test_zero_bytes_in_a_progressive_picture_are_seen_without_decoding():
    progressive = jpeg(photograph(), progressive=True)
    assert {name(zeroed(progressive, at, 0.03)) for at in (0.3, 0.5, 0.8)} == {"zeroed"}


def test_zero_bytes_of_a_flat_picture_are_natural():
    # With tables made for it a flat picture is nothing but zero bits.
    data = jpeg(flat(), optimised=True)
    assert bytes(32) in data
    assert name(data) is None


def test_a_progressive_picture_without_its_last_scans_is_truncated():
    data = jpeg(photograph(), progressive=True)
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 5
    tables = data.rfind(b"\xff\xc4", 0, scans[-1])
    assert name(data[:tables] + b"\xff\xd9") == "truncated"


def test_a_second_start_inside_is_spliced():
    assert name(SOUND[: len(SOUND) // 2] + SOUND) == "spliced"


def test_a_second_frame_header_is_spliced():
    at = SOUND.index(b"\xff\xc0")
    size = 2 + int.from_bytes(SOUND[at + 2 : at + 4], "big")
    assert name(SOUND[: at + size] + SOUND[at:]) == "spliced"


def test_a_file_of_markers_without_a_picture_is_damaged():
    assert name(b"\xff\xd8\xff\xd9") == "damaged"
    assert name(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9") == "damaged"


def test_stray_bytes_between_segments_are_passed_over():
    at = SOUND.index(b"\xff\xdb")
    assert name(SOUND[:at] + b"xy" + SOUND[at:]) is None
    assert name(SOUND[:at] + b"x" * 40 + SOUND[at:]) == "damaged"
