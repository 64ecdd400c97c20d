"""Pixels as the bytes of a file, for frames that did not come as one; and what that cost them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from camera.frame import Image

Encoding = Literal["jpeg", "png"]
JPEG_QUALITY = 90
PNG_COMPRESSION = 1
"""Higher levels take longer and save little on pictures with noise."""
_JFIF = 20
"""Bytes of the start and the JFIF segment, which comes first (ITU-T T.871, 10.1)."""
_WORDS = b"edge-inspect: not the pixels that were decided upon"
_COMMENT = b"\xff\xfe" + (len(_WORDS) + 2).to_bytes(2, "big") + _WORDS
"""A comment segment (ITU-T T.81, B.2.4.5)."""
HEAD = _JFIF + len(_COMMENT)
"""So many bytes of a file tell whether it lost something."""


def encode(image: Image, encoding: Encoding = "jpeg") -> bytes:
    """The picture as a file. A JPEG of ours carries a note that it lost something.

    Raises ValueError for a picture that no file can hold.
    """
    import cv2

    if encoding == "png":
        return _made(cv2.imencode(".png", image, (cv2.IMWRITE_PNG_COMPRESSION, PNG_COMPRESSION)))
    data = _made(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)))
    return data[:_JFIF] + _COMMENT + data[_JFIF:]


def lossy(data: bytes) -> bool:
    """Whether these are not the pixels that the line had: then its score was another one."""
    return data[_JFIF:].startswith(_COMMENT)


def _made(answer: tuple[bool, object]) -> bytes:
    done, data = answer
    if not done:
        raise ValueError("a picture that cannot be encoded")
    made: bytes = data.tobytes()  # type: ignore[attr-defined]
    return made
