"""Chains as stations record them, and their pieces as they travel."""

from __future__ import annotations

from sync import chain
from sync.fleet.arrival import Arrival, read
from sync.gap import Gap, encode_gap
from sync.segment import encode, join
from sync.topics import Station

STATION = Station("plant-a", "line-3", "caps")
EPOCH = "epoch-1"


class Chain:
    """Records 1 to `length` of one epoch, in memory; `salt` makes another history."""

    def __init__(self, length, epoch=EPOCH, stream="line", station=STATION, salt=""):
        self.station, self.stream, self.epoch = station, stream, epoch
        self.bodies = [
            chain.body(
                {
                    "schema": "inspection/1", "id": f"{epoch}-{seq}", "part_id": f"P-{seq}",
                    "captured_at": f"2026-11-20T12:00:{seq % 60:02d}.000Z", "decision": "accept",
                    "station": str(station), "stream": stream, "epoch": epoch, "seq": seq,
                    "salt": salt,
                }
            )
            for seq in range(1, length + 1)
        ]  # fmt: skip
        self.hashes = [chain.GENESIS]
        for body in self.bodies:
            self.hashes.append(chain.link(self.hashes[-1], body))

    @property
    def topic(self):
        return self.station.results(self.stream)

    def payload(self, first, last):
        records = self.bodies[first - 1 : last]
        return encode(join(self.stream, self.epoch, first, self.hashes[first - 1], records))

    def piece(self, first, last) -> Arrival:
        return read(self.topic, self.payload(first, last))

    def gap(self, first, last, why="pruned", blind=False, open_end=False) -> Arrival:
        """With `blind` the station does not know the hash before, with `open_end` not the last."""
        before = None if blind else self.hashes[first - 1]
        end = None if open_end else self.hashes[last]
        gap = Gap(self.stream, self.epoch, first, last, before, end, why)
        return read(self.topic, encode_gap(gap))
