"""Reads one journal for delivery, and answers for what cannot be delivered."""

from __future__ import annotations

from collections.abc import Sequence

from sync import chain
from sync.acknowledgement import Through
from sync.damage import Search, Sound, row_at
from sync.journal import Anchor, JournalError, JournalReader, Row, Source
from sync.link import Trouble
from sync.packing import Piece, TooLarge, pack, pack_gap, sound_beginning
from sync.window import UNKNOWN, Mark, Window

LOST_AFTER_S = 3.0
"""So long a record must stay unreadable before it is given up: a disk may recover, and the line may
set the whole file aside."""
SAID_FOR_S = 3600.0
"""How long a loss is part of the status."""
FAR = 1000
"""How far is looked behind a damaged end."""
VERIFY = "edge-inspect results --verify"


class Reader:
    """What comes behind a mark: records, or a gap in their place."""

    def __init__(self, source: Source, max_bytes: int) -> None:
        self.epoch = ""
        self.anchor = Anchor(0, chain.GENESIS)
        self.head = 0
        self.changed = False
        """Whether the journal is another one than at the last look."""
        self.gaps: dict[str, int] = {}
        self._gaps_end = 0
        self._source = source
        self._journal: JournalReader = source.journal
        self._max_bytes = max_bytes
        self._blind: Trouble | None = None
        self._failing: Trouble | None = None
        self._said: tuple[Trouble, float] | None = None
        self._searches: dict[int, Search] = {}
        self._too_large: set[int] = set()

    @property
    def stuck(self) -> bool:
        """Whether reading does not go on somewhere."""
        return bool(self._blind or self._failing or self._searches)

    @property
    def waiting(self) -> bool:
        """Whether only time can help."""
        searches = self._searches.values()
        return bool(self._blind or self._failing) or any(one.waits for one in searches)

    def troubles(self, now: float) -> list[Trouble]:
        """Why it does not go on, and what was lost lately."""
        found = [one for one in (self._blind or self._failing,) if one is not None]
        for seq in self._searches:
            what = f"record {seq + 1} of {self._source.name} cannot be read, or does not fit"
            found.append(Trouble(f"{what}; what follows it is looked for", VERIFY))
        if self._said is not None and now < self._said[1]:
            found.append(self._said[0])
        return found

    def failed(self, error: JournalError) -> None:
        """Remember why there could be no look, until one succeeds."""
        self._blind = Trouble(str(error), error.mend)

    def look(self) -> bool:
        """Where the journal begins and ends now; true when it ends before it did.

        Raises JournalError; damage to the newest records alone is none.
        """
        epoch, before = self._journal.epoch(), self.head
        same = epoch == self.epoch
        self.anchor = self._journal.anchor()
        try:
            self.head = self._journal.head()
        except JournalError as error:
            if not (error.damaged and same):
                raise
        if not same:
            self._searches.clear()
            self._too_large.clear()
            self.gaps, self._gaps_end = {}, 0
        self.epoch, self.changed, self._blind = epoch, False, None
        return same and self.head < before

    def settled(self, seq: int) -> None:
        """Nothing up to here is looked for any more."""
        for start in [start for start in self._searches if start < seq]:
            del self._searches[start]

    def refused(self, first: int, last: int) -> None:
        """The broker found these records too large."""
        if first == last:
            self._too_large.add(first)

    def reconnected(self) -> None:
        """Another broker, or other settings: try what was too large."""
        self._too_large.clear()

    def sent(self, piece: Piece, now: float) -> None:
        """It went; a gap is counted and said once."""
        self.head = max(self.head, piece.end.seq)
        if piece.why is None or piece.end.seq <= self._gaps_end:
            return
        self._gaps_end = piece.end.seq
        self.gaps[piece.why] = self.gaps.get(piece.why, 0) + piece.records
        if piece.why == "pruned":
            return
        which = f"records {piece.start.seq + 1} to {piece.end.seq} of {self._source.name}"
        what, mend = {
            "lost": ("cannot be read and are reported as lost", VERIFY),
            "too_large": (
                "are too large for the broker and stay on this station",
                "raise max_packet_size in the broker's configuration",
            ),
        }[piece.why]
        self._said = (Trouble(f"{which} {what}", mend), now + SAID_FOR_S)

    def proves(self, seq: int, last: str) -> bool:
        """Whether `last` is the hash of record `seq`: as stored, or as it follows from the one
        before, where the stored one is damaged."""
        if seq == 0:
            return last == chain.GENESIS
        if self.hash_of(seq) == last:
            return True
        row, before = row_at(self._journal, seq, self.epoch), self.hash_of(seq - 1)
        return row is not None and bool(before) and chain.link(str(before), row.body) == last

    def holds(self, window: Window, seq: int, last: str) -> bool:
        """Whether `last` is the hash of record `seq`; asks the file only where it must."""
        return window.hash_at(seq) == last or self.proves(seq, last)

    def differs(self, window: Window, said: Through) -> Trouble | None:
        """What is wrong with the word of a collector, where our own rows say something else."""
        marks = [(said.through, said.hash), *((one.last, one.hash) for one in said.ahead)]
        for seq, last in marks:
            if self.anchor.seq > seq or self.holds(window, seq, last):
                continue
            own = self.hash_of(seq)
            return Trouble(
                f"a collector holds record {seq} of {self._source.stream} with the hash {last},"
                f" this station {f'has {own}' if own else 'has no such record'}",
                f"{VERIFY}; nothing behind record {window.position.seq} counts as delivered until"
                " the collector's records fit",
            )
        return None

    def hash_of(self, seq: int) -> str | None:
        """The stored hash of a record; None where there is none to be read."""
        try:
            return self._journal.last_hash(seq)
        except JournalError as error:
            if error.damaged:
                return None
            raise

    def next(
        self, start: Mark, until: int | None, max_rows: int, most: int, now: float
    ) -> Piece | None:
        """A message of at most `most` bytes with what follows `start`, not beyond `until`; None
        where there is nothing yet, or nothing that can be read now."""
        try:
            found = self._next(start, until, max_rows, most, now)
            self._failing = None
        except JournalError as error:
            self._failing = Trouble(str(error), error.mend)
            return None
        return found

    def _next(
        self, start: Mark, until: int | None, max_rows: int, most: int, now: float
    ) -> Piece | None:
        if start.seq < self.anchor.seq:
            return self._pruned(start)
        if start.seq not in self._searches:
            rows = self._rows(start, until, max_rows)
            if rows is not None and not rows and until is None and self.head <= start.seq:
                return None
            sound = self._sound(start, rows or ())
            if sound:
                return self._pack(start, sound, most)
            if self._moved(start):
                return None
            self._searches[start.seq] = Search(start, now)
        return self._look_behind(self._searches[start.seq], until, most, now)

    def _rows(self, start: Mark, until: int | None, most: int) -> Sequence[Row] | None:
        """The rows behind a mark; fewer where a later one is damaged, None where the first is."""
        if until is not None:
            most = min(most, until - start.seq)
        while most:
            try:
                return self._journal.rows(start.seq, most, self._max_bytes, start.epoch)
            except JournalError as error:
                if not error.damaged:
                    self.changed = self._journal.epoch() != start.epoch
                    raise
                most //= 2
        return None

    def _sound(self, start: Mark, rows: Sequence[Row]) -> Sequence[Row]:
        if start.hash == UNKNOWN or not all(isinstance(row.body, bytes) for row in rows):
            return ()
        sound = sound_beginning(start, rows)
        if sound and not self._own(sound[-1].body):
            what = f"{self._source.name} says that it is epoch {self.epoch}, its records do not"
            raise JournalError(what, VERIFY)
        return sound

    def _own(self, body: bytes) -> bool:
        words = f'"epoch":"{self.epoch}"', f'"stream":"{self._source.stream}"'
        return all(word.encode() in body for word in words)

    def _moved(self, start: Mark) -> bool:
        """Whether the journal was replaced or shortened meanwhile."""
        self.changed = self._journal.epoch() != start.epoch
        if not self.changed:
            self.anchor = self._journal.anchor()
        return self.changed or self.anchor.seq > start.seq

    def _look_behind(
        self, search: Search, until: int | None, most: int, now: float
    ) -> Piece | None:
        if now - search.since < LOST_AFTER_S and not self._source.salvaged:
            # It may be readable again.
            rows = row_at(self._journal, search.start.seq + 1, search.start.epoch)
            if rows is None or not self._sound(search.start, [rows]):
                return None
        last = until or max(self.head, search.start.seq + FAR * (self.head <= search.start.seq))
        found = search.step(self._journal, last, until is not None)
        if found is None:
            return None
        del self._searches[search.start.seq]
        if isinstance(found, Sound):
            return self._pack(search.start, [found], most)
        return pack_gap(self._source.stream, search.start, found, "lost")

    def _pruned(self, start: Mark) -> Piece:
        anchor = self.anchor
        end = Mark(start.epoch, anchor.seq, anchor.hash)
        return pack_gap(self._source.stream, start, end, "pruned", at=anchor.at, by=anchor.by)

    def _pack(self, start: Mark, rows: Sequence[Row], most: int) -> Piece:
        try:
            if rows[0].seq in self._too_large:
                raise TooLarge(rows[0], len(rows[0].body))
            piece = pack(self._source.stream, start, rows, most)
        except TooLarge as error:
            row = error.row
            end, size = Mark(start.epoch, row.seq, row.hash), len(row.body)
            piece = pack_gap(self._source.stream, start, end, "too_large", size=size)
        if len(piece.payload) > most:
            what = f"the broker takes messages of {most} bytes, too few for anything"
            raise JournalError(what, "raise max_packet_size in the broker's configuration")
        return piece
