"""Whether the bytes of a picture file are whole, before anything decodes them. Pure.

Decoders give back pictures from damaged files without an error (half grey, shifted, or with the
previous picture's pixels), so the bytes are looked at first.
"""

from __future__ import annotations

import zlib

from camera.frame import Doubt
from camera.jpeg import jpeg_damage

PNG = b"\x89PNG\r\n\x1a\n"
TIFF = (b"II*\0", b"MM\0*")


def damage(data: bytes) -> Doubt | None:
    """The first thing wrong with a picture file, or None.

    `empty`, `not_a_picture` (no JPEG, PNG, BMP, WebP or TIFF), `truncated`, `spliced`, `zeroed`
    and `damaged`. `measured` is the byte where it shows. An uncompressed picture (BMP) that was
    overwritten in the middle cannot be told from a dark one; of TIFF only the first bytes are read.
    """
    if not data:
        return Doubt("empty", 0.0)
    if data.startswith(b"\xff\xd8\xff"):
        return jpeg_damage(data)
    if data.startswith(PNG):
        return _png(data)
    if data.startswith(b"BM") and len(data) >= 26:
        return _bmp(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _short(data, 8 + int.from_bytes(data[4:8], "little"))
    if data.startswith(TIFF):
        return None
    return Doubt("not_a_picture", 0.0)


def _short(data: bytes, expected: int) -> Doubt | None:
    if len(data) < expected:
        return Doubt("truncated", float(len(data)), float(expected))
    return None


def _png(data: bytes) -> Doubt | None:
    """Chunk by chunk, each with its checksum, to IEND."""
    at = len(PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            break
        if zlib.crc32(memoryview(data)[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return Doubt("damaged", float(at))
        if kind == b"IEND":
            return None
        at = end + 4
    return Doubt("truncated", float(len(data)))


def _bmp(data: bytes) -> Doubt | None:
    """The length that an uncompressed BMP's header asks for."""
    offset = int.from_bytes(data[10:14], "little")
    if int.from_bytes(data[14:18], "little") < 40 or int.from_bytes(data[30:34], "little") not in (
        0,
        3,
    ):
        return _short(data, int.from_bytes(data[2:6], "little"))
    width = int.from_bytes(data[18:22], "little", signed=True)
    height = abs(int.from_bytes(data[22:26], "little", signed=True))
    bits = int.from_bytes(data[28:30], "little")
    if width <= 0 or height == 0:
        return Doubt("damaged", 0.0)
    return _short(data, offset + (width * bits + 31) // 32 * 4 * height)
