"""Pieces of pictures that came, until they are committed and what is whole has been said."""

from __future__ import annotations

from sync.fleet.database import DatabaseError
from sync.fleet.gallery import Gallery
from sync.fleet.speaker import Speaker
from sync.picture import STREAM, Piece, decode_piece
from sync.topics import ROOT, TopicError, parse
from sync.transport import Message

PICTURES = f"{ROOT}/+/+/+/{STREAM}"
COMMIT_PIECES = 16
"""Committed together: 1 MiB at most, so that records do not wait long."""


class Desk:
    """Between the broker and the gallery; without a gallery no pictures are asked for.

    A piece that was not committed is not released.
    """

    def __init__(self, gallery: Gallery | None, speaker: Speaker) -> None:
        self.refused = 0
        self._gallery = gallery
        self._speaker = speaker
        self._pending: list[tuple[str, Piece, int]] = []

    @property
    def topics(self) -> tuple[str, ...]:
        """What to subscribe to."""
        return () if self._gallery is None else (PICTURES,)

    @property
    def waiting(self) -> bool:
        """Whether there are pieces to be committed."""
        return bool(self._pending)

    def take(self, message: Message) -> bool:
        """Whether this was a piece. Raises `sync.picture.PictureError` when it only should be."""
        try:
            station, leaf = parse(message.topic)
        except TopicError:
            return False
        if leaf != STREAM or self._gallery is None:
            return False
        self._pending.append((str(station), decode_piece(message.payload), message.token))
        return True

    def commit(self) -> list[int]:
        """Some of the pieces, in one transaction; the tokens to release.

        Raises `sync.fleet.database.DatabaseError`; then nothing of it counts.
        """
        batch, rest = self._pending[:COMMIT_PIECES], self._pending[COMMIT_PIECES:]
        if batch and self._gallery is not None:
            self._commit(self._gallery, [(station, piece) for station, piece, _ in batch])
            self._pending = rest
        return [token for _, _, token in batch]

    def forget(self) -> None:
        """The connection is gone: what was not released comes again."""
        self._pending.clear()

    def _commit(self, gallery: Gallery, arrived: list[tuple[str, Piece]]) -> None:
        """Together; where the database refuses, one by one, so that one cannot hold up others."""
        try:
            said = gallery.take(arrived)
        except DatabaseError:
            raise
        except Exception:
            if len(arrived) == 1:
                self.refused += 1
                return
            for one in arrived:
                self._commit(gallery, [one])
            return
        for station, received in said:
            self._speaker.received(station, received)
