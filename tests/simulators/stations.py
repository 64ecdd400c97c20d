"""Stations that fetch models with the real delivery and the real trust; their lines are words."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sync.announcer import Announcer
from sync.backoff import Backoff
from sync.broker import Address
from sync.delivery import Delivery
from sync.inbox import Inbox
from sync.link import Link
from sync.model_state import model_state
from sync.mqtt import MqttTransport, Settings, Will
from sync.reception import Bounds, Reception
from sync.topics import Station
from sync.transport import Connected, Disconnected, Message
from sync.trust import Trust

OLD = {"bundle": "0" * 64, "name": "rings", "version": "1.0.0", "slot": "factory", "trial": None}
Line = Callable[[Mapping[str, object], str], Mapping[str, object]]
"""What a line says (`running`, `candidate`, `last`) of an assignment, by the delivery's state."""


def takes_it(desired: Mapping[str, object], delivery: str) -> Mapping[str, object]:
    """A line that runs a bundle as soon as it is here."""
    if delivery != "verified" or desired["action"] == "rollback":
        return {"running": OLD}
    return {"running": {**OLD, "bundle": desired["digest"]}, "last": trial(desired, "active")}


def breaks_down(desired: Mapping[str, object], delivery: str) -> Mapping[str, object]:
    """A line whose model dies at once."""
    if delivery != "verified":
        return {"running": OLD}
    return {"running": OLD, "last": trial(desired, "rolled_back", code="died", why="3 times")}


def trial(desired: Mapping[str, object], state: str, **more: object) -> dict[str, object]:
    """The candidate of an assignment, in this state."""
    bundle = {"bundle": desired["digest"], "serial": desired["serial"]}
    return {**bundle, "rollout": desired["rollout"], "state": state, **more}


class Fetching:
    """One station on a connection of its own; everything happens in `step`."""

    def __init__(
        self, url: str, station: Station, folder: Path, root_file: Path, line: Line = takes_it
    ) -> None:
        self.station, self.folder, self.line = station, folder, line
        self.packs = self.pieces = self.bytes = 0
        named = {"schema": "station-status/1", "station": str(station)}
        self._named = {"station": str(station), "software": "1.0.0"}
        will = Will(station.status, json.dumps({**named, "sync": "down"}).encode())
        self._up = {**named, "sync": "up", "line": "up"}
        self.transport = MqttTransport(Settings(Address.parse(url), f"sim/{station}", will=will))
        self._link = Link(self.transport, Backoff(random.random, 0.05, 0.5), 1e9)
        trust = Trust(
            folder / "trust", root_file, str(station), now=time.time, clock_synced=lambda: True
        )
        self.reception = Reception(
            Inbox(folder / "inbox"), trust, lambda: 1 << 40, lambda: "now", Bounds(), random.random
        )
        self.delivery = Delivery(self.reception, self.transport, station)
        self._words = (
            Announcer(self.transport, station.status, 0.0),
            Announcer(self.transport, station.model_state, 1.0),
        )

    @property
    def listens(self) -> bool:
        """Whether what the fleet says would reach it."""
        return self._link.up and self.delivery._listens

    @property
    def running(self) -> object:
        """The digest of the bundle that decides."""
        running = self.said().get("running")
        return running["bundle"] if isinstance(running, dict) else None

    def said(self) -> dict[str, object]:
        """What `model/state` says."""
        found = self.delivery.state()
        desired, progress = found["desired"], found["delivery"]
        line: Mapping[str, object] = {"running": OLD}
        if isinstance(desired, dict) and isinstance(progress, dict):
            line = self.line(desired, str(progress["state"]))
        return model_state(self._named, {"rollout": line}, found, True)

    def step(self, now: float) -> bool:
        """Take in what came and go on; whether there is more to do at once."""
        for event in self.transport.events():
            self._link.take(event, now)
            for word in self._words:
                word.take(event)
            if isinstance(event, Connected):
                self.delivery.connected()
            elif isinstance(event, Disconnected):
                self.delivery.lost()
            elif isinstance(event, Message):
                self._count(event)
            self.delivery.take(event, now)
        self._link.step(now)
        busy = self.delivery.work(now)
        if self._link.up:
            busy = self.delivery.step(now) or busy
            self._words[0].step(now, self._up, {})
            said = self.said()
            progress = said.pop("delivery")  # at most once a second, as sync says it
            turns = {**said, "arrived": isinstance(progress, dict) and progress["state"]}
            self._words[1].step(now, turns, {"delivery": progress})
        return busy

    def close(self) -> None:
        """Say good-bye, as a station that is switched off in good order."""
        self._words[0].say({**self._up, "sync": "down"})
        self.transport.close()

    def _count(self, message: Message) -> None:
        if "/model/chunk/" in message.topic:
            self.pieces += 1
            self.bytes += len(message.payload)
        else:
            self.packs += 1
