"""From the bytes of a picture file to pixels, with everything the decoder said about them.

libjpeg finds what the markers cannot show (a picture that ends early behind sound markers, data
of two pictures joined, a part overwritten) but gives the picture all the same and only prints a
line on the C library's `stderr`. That stream is a variable: it points into memory while we decode,
so the line is heard at no measurable cost. File descriptor 2 and Python's `sys.stderr` are not
touched.
"""

from __future__ import annotations

import ctypes
import re
import threading

import cv2
import numpy as np

from camera.damage import damage
from camera.frame import Doubt, Image

EXTRANEOUS_BYTES = 8
"""Cheap cameras leave a few stray bytes before a marker; more than this is another picture."""

HOPELESS = frozenset({"empty", "not_a_picture", "truncated", "damaged"})
"""Byte damage that makes decoding pointless: what comes back depends on the decoder's version."""

_SPARE = re.compile(rb"(\d+) extraneous bytes")
_HARMLESS = (
    b"Invalid SOS parameters",
    b"Unknown Adobe",
    b"revision number",
    b"iCCP",
    b"libpng warn",
)


class _Ear:
    """The C library's `stderr`, led into memory for the length of one decode."""

    def __init__(self, size: int = 4096) -> None:
        libc = ctypes.CDLL(None)
        libc.fmemopen.restype = ctypes.c_void_p
        libc.fmemopen.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
        libc.setvbuf.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
        for function in (libc.ftell, libc.rewind):
            function.argtypes = [ctypes.c_void_p]
        libc.ftell.restype = ctypes.c_long
        self._libc = libc
        self._stderr = ctypes.c_void_p.in_dll(libc, "stderr")
        self._usual = self._stderr.value
        self._text = ctypes.create_string_buffer(size)
        self._memory = libc.fmemopen(self._text, size, b"w")
        unbuffered = 2
        libc.setvbuf(self._memory, None, unbuffered, 0)

    def listen(self) -> None:
        self._stderr.value = self._memory

    def heard(self) -> bytes:
        """What was said since `listen`; the stream is as before."""
        self._stderr.value = self._usual
        length = self._libc.ftell(self._memory)
        if length <= 0:
            return b""
        self._libc.rewind(self._memory)
        return self._text.raw[:length]


_ear = _Ear()
_one_at_a_time = threading.Lock()


def decode(data: bytes) -> tuple[Image | None, tuple[Doubt, ...]]:
    """The picture in BGR, and the doubts about its bytes; None when it cannot be decoded.

    Doubts are those of `damage`, and from the decoder `truncated` (it ran out of data), `spliced`
    (data were left over, with their number as `measured`, or made no sense) and `damaged`. The
    picture is turned as its EXIF orientation says. Thread-safe: one decode at a time, so that
    what was said belongs to this picture.
    """
    broken = damage(data)
    if broken is not None and broken.name in HOPELESS:
        return None, (broken,)
    with _one_at_a_time:
        _ear.listen()
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
        finally:
            words = _ear.heard()
    if broken is None:
        broken = _meaning(words) if image is not None else Doubt("damaged")
    pixels = None if image is None else np.asarray(image, np.uint8)
    return pixels, () if broken is None else (broken,)


def _meaning(words: bytes) -> Doubt | None:
    """The doubt behind libjpeg's first warning (it prints no other)."""
    if not words or any(harmless in words for harmless in _HARMLESS):
        return None
    if b"premature end" in words:
        return Doubt("truncated")
    spare = _SPARE.search(words)
    if spare is None:
        return Doubt("spliced")
    count = int(spare[1])
    return Doubt("spliced", float(count), EXTRANEOUS_BYTES) if count > EXTRANEOUS_BYTES else None
