"""All streams of a station: which there are, whose turn it is, and how far each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync.backoff import Backoff
from sync.journal import Shelf, Source
from sync.link import Trouble
from sync.packing import Piece
from sync.position import BROKER, Held, PositionFile, Positions
from sync.stream import Bounds, Stream

FIRST_AGAIN_S, LONGEST_AGAIN_S = 5.0, 60.0
OLD_EVERY = 4
"""One turn in so many asks the backlogs first: on a link that is too slow they still go on."""


class Streams:
    """Follows the shelf, gives turns, and writes the positions down.

    What is new goes before what is old, and of each every stream in its turn.
    """

    def __init__(
        self,
        shelf: Shelf,
        positions: PositionFile,
        chance: Callable[[], float],
        collector: bool,
        bounds: Bounds,
        save_every_s: float,
    ) -> None:
        self.trouble: Trouble | None = None
        self._shelf = shelf
        self._file = positions
        self._known: Positions | None = None
        self._saved: Positions | None = None
        self._chance = chance
        self._collector = collector
        self._bounds = bounds
        self._save_every_s = save_every_s
        self._streams: dict[str, Stream] = {}
        self._order: list[str] = []
        self._turn = 0
        self._pictures: Callable[[], Mapping[str, object]] | None = None
        self._look_at = self._save_at = float("-inf")

    @property
    def all(self) -> list[Stream]:
        """Every stream there is."""
        return list(self._streams.values())

    @property
    def current(self) -> dict[str, Stream]:
        """Those that go on, by the stream's name."""
        return {one.source.stream: one for one in self.all if not one.source.salvaged}

    @property
    def salvaged(self) -> dict[str, Stream]:
        """What was saved of earlier epochs, by epoch."""
        return {str(one.epoch): one for one in self.all if one.source.salvaged and one.epoch}

    @property
    def backlog(self) -> int:
        """Records of all streams that are not acknowledged, as of the last look."""
        return sum(stream.backlog for stream in self.all)

    @property
    def drained(self) -> bool:
        """Whether everything that is there is acknowledged."""
        return bool(self._streams) and all(one.drained for one in self.all)

    @property
    def full(self) -> bool:
        """Whether records wait until the broker or a collector acknowledges others."""
        return any(one.full for one in self.all)

    def with_pictures(self, kept: Callable[[], Mapping[str, object]]) -> None:
        """Write down with the positions how far the pictures are."""
        self._pictures = kept

    def of(self, stream: str, epoch: str) -> list[Stream]:
        """Those that deliver this epoch: one, or two where a salvaged database was put back."""
        return [one for one in self.all if (one.source.stream, one.epoch) == (stream, epoch)]

    def step(self, now: float) -> None:
        """See which journals there are, look into each, and write the positions down."""
        if now >= self._look_at:
            self._look_at = now + self._bounds.look_every_s
            self._follow({source.name: source for source in self._shelf()})
        for stream in self.all:
            before = stream.held
            stream.step(now)
            if before is not None and stream.epoch != before.mark.epoch:
                self._remember(before)
        if now >= self._save_at:
            self._save_at = now + self._save_every_s
            self.save()

    def next(self, now: float, most: Callable[[str], int]) -> tuple[Stream, Piece] | None:
        """What is to be sent next; `most` says how many bytes a message of a stream may have."""
        old_first = self._turn % OLD_EVERY == OLD_EVERY - 1
        for live in (not old_first, old_first):
            for name in self._order:
                stream = self._streams[name]
                piece = stream.next(now, live, most(stream.source.stream))
                if piece is not None:
                    self._turn += 1
                    self._order.remove(name)
                    self._order.append(name)
                    return stream, piece
        return None

    def progress(self) -> dict[str, object]:
        """How far delivery is: a part of the station's status."""
        current = self.current
        return {
            "backlog": self.backlog,
            "backlogs": {name: stream.backlog for name, stream in current.items()},
            "acknowledged": {name: _said(stream) for name, stream in current.items()},
            "salvaged": {
                epoch: {"stream": stream.source.stream, "backlog": stream.backlog}
                | (_said(stream) or {})
                for epoch, stream in self.salvaged.items()
            },
        }

    def lost(self) -> None:
        """The connection ended."""
        for stream in self.all:
            stream.lost()

    def save(self) -> None:
        """Write the positions if they moved."""
        reached = self._reached()
        if reached == self._saved:
            return
        try:
            self._file.write(reached)
            self._saved, self.trouble = reached, None
        except OSError as error:
            # The position is a hint: going on without it costs duplicates after a restart.
            what = f"the position of delivery cannot be written: {error}"
            self.trouble = Trouble(what, f"make room for {self._file.path}")

    def _follow(self, sources: dict[str, Source]) -> None:
        for name in [name for name in self._streams if name not in sources]:
            held = self._streams.pop(name).held
            self._order.remove(name)
            if held is not None:
                self._remember(held)
        for name, source in sources.items():
            if name not in self._streams:
                self._streams[name] = Stream(
                    source,
                    self._bounds,
                    Backoff(self._chance, FIRST_AGAIN_S, LONGEST_AGAIN_S),
                    self._stored,
                    self._collector,
                )
                self._order.append(name)

    def _stored(self, stream: str, epoch: str) -> Held | None:
        return self._reached().of(stream, epoch)

    def _remember(self, held: Held) -> None:
        """An epoch that ended: what was saved of it may come later."""
        reached = self._reached()
        self._known = Positions(
            reached.streams, {**reached.salvaged, held.mark.epoch: held}, reached.pictures
        )

    def _read(self) -> Positions:
        self._saved = found = self._file.read()
        if self._collector:  # the broker's word of another time does not count now
            found = Positions(_spoken(found.streams), _spoken(found.salvaged), found.pictures)
        self._known = found
        return found

    def _reached(self) -> Positions:
        known = self._known if self._known is not None else self._read()
        streams, salvaged = dict(known.streams), dict(known.salvaged)
        for held in known.streams.values():
            current = self.current.get(held.stream)
            if current is not None and current.epoch not in (None, held.mark.epoch):
                salvaged.setdefault(held.mark.epoch, held)
                del streams[held.stream]
        for stream in self.all:
            if (reached := stream.held) is None:
                continue
            if stream.source.salvaged:
                salvaged[reached.mark.epoch] = reached
            else:
                streams[reached.stream] = reached
        return Positions(streams, salvaged, self._pictures() if self._pictures else known.pictures)


def _spoken(known: Mapping[str, Held]) -> dict[str, Held]:
    return {name: held for name, held in known.items() if held.by != BROKER}


def _said(stream: Stream) -> dict[str, object] | None:
    position = stream.position
    if position is None:
        return None
    head = max(stream.head, position.seq)
    return {"epoch": position.epoch, "seq": position.seq, "by": stream.by, "head": head}
