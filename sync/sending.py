"""One picture on its way: cut into pieces that fit."""

from __future__ import annotations

from dataclasses import dataclass

from sync.gallery import OpenPicture, Wanted
from sync.picture import Piece, encode_piece, header


@dataclass(slots=True)
class Sending:
    """A picture, and how much of it the broker has taken."""

    wanted: Wanted
    file: OpenPicture
    offset: int = 0
    answer_by: float | None = None
    """All of it went out; it goes out again when no collector has answered by then."""

    @property
    def all_out(self) -> bool:
        """Whether the broker has taken all of it."""
        return self.offset >= self.file.size

    def cost(self, most: int) -> int | None:
        """Bytes of all pieces of at most `most` bytes together, or a few more; None where no piece
        is large enough for a byte of the picture."""
        longest = len(self._header(self.file.size))
        if most <= longest:
            return None
        pieces = max(1, -(-self.file.size // (most - longest)))
        return self.file.size + pieces * longest

    def piece(self, most: int) -> tuple[bytes, int]:
        """The next payload, of at most `most` bytes, and the offset behind it. Raises Missing."""
        wanted, size = self.wanted, self.file.size
        data = self.file.read(self.offset, most - len(self._header(self.offset)))
        piece = Piece(wanted.inspection, wanted.path, wanted.sha256, size, self.offset, data)
        return encode_piece(piece), self.offset + len(data)

    def _header(self, offset: int) -> bytes:
        wanted = self.wanted
        return header(wanted.inspection, wanted.path, wanted.sha256, self.file.size, offset)
