"""Somebody who listens at the broker."""

from __future__ import annotations

from sync.broker import Address
from sync.mqtt import MqttTransport, Settings
from sync.transport import Acknowledged, Connected, Message
from tests.simulators.patience import until


class Spy:
    """Hears which files' pieces go to stations."""

    def __init__(self, url: str) -> None:
        self.heard: set[str] = set()
        self._transport = MqttTransport(Settings(Address.parse(url), "spy"))
        self._transport.connect()
        self._asked: int | None = None
        self._granted = False
        until(lambda: self._granted, self.step)

    def step(self) -> None:
        """Take in what came."""
        for event in self._transport.events():
            if isinstance(event, Connected):
                self._asked = self._transport.subscribe("ei/v1/+/+/+/model/chunk/#")
            elif isinstance(event, Acknowledged):
                self._granted |= event.token == self._asked
            elif isinstance(event, Message):
                self.heard.add(event.topic.split("/")[-2])
                self._transport.release(event.token)
        self._transport.wait(0.02)

    def close(self) -> None:
        """Let go."""
        self._transport.close()
