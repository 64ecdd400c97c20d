"""Where a station's messages go: names under `ei/v1/<site>/<line>/<station>/`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROOT = "ei/v1"
LONGEST_NAME = 64
_NAME = re.compile(rf"[a-z0-9_-]{{1,{LONGEST_NAME}}}")
_LEAF = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+){0,3}")


class TopicError(ValueError):
    """A station or topic is not written as it must be; the message says how."""


@dataclass(frozen=True, slots=True)
class Station:
    """One inspection point and its topics. No name can hold a wildcard or a separator."""

    site: str
    line: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.site, self.line, self.name):
            if not _NAME.fullmatch(part):
                raise TopicError(
                    f"{part!r} cannot be part of a station's name: "
                    f"1 to {LONGEST_NAME} of a-z, 0-9, _ and - are allowed"
                )

    @classmethod
    def parse(cls, text: str) -> Station:
        """Read `site/line/station`. Raises TopicError."""
        parts = text.split("/")
        if len(parts) != 3:
            raise TopicError(f"{text!r} is not a station: expected site/line/station")
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.site}/{self.line}/{self.name}"

    def topic(self, leaf: str) -> str:
        """The full name of `leaf`, such as `status`. Raises TopicError on a strange leaf."""
        if not _LEAF.fullmatch(leaf):
            raise TopicError(f"{leaf!r} is not the name of a station's topic")
        return f"{ROOT}/{self}/{leaf}"

    @property
    def status(self) -> str:
        """Retained: whether sync and line are up, and how far delivery is."""
        return self.topic("status")

    def results(self, stream: str) -> str:
        """Segments of one stream."""
        return self.topic(f"results/{stream}")

    @property
    def pictures(self) -> str:
        """Pieces of pictures; `ack("pictures")` says, never retained, that a whole one arrived."""
        return self.topic("pictures")

    def ack(self, stream: str) -> str:
        """Retained, from collectors only: how far they hold a stream."""
        return self.topic(f"ack/{stream}")

    @property
    def rewind(self) -> str:
        """From collectors only, never retained: send an epoch again from some record on."""
        return self.topic("rewind")

    @property
    def model_state(self) -> str:
        """Retained: what the station should run, runs, tries and refuses."""
        return self.topic("model/state")

    @property
    def model_assignment(self) -> str:
        """Retained, from the fleet only: the signed word on which bundle the station should run."""
        return self.topic("model/assignment")

    @property
    def model_want(self) -> str:
        """Pieces of a bundle that the station asks for; never retained."""
        return self.topic("model/want")

    def model_chunk(self, sha256: str, number: int) -> str:
        """From the fleet only: the bytes of one piece of the file with this sha256."""
        return self.topic(f"model/chunk/{sha256}/{number}")


def parse(topic: str) -> tuple[Station, str]:
    """Split a full topic into station and leaf. Raises TopicError on every other topic."""
    if not topic.startswith(ROOT + "/"):
        raise TopicError(f"{topic!r} is not below {ROOT}/")
    parts = topic[len(ROOT) + 1 :].split("/", 3)
    if len(parts) != 4 or not _LEAF.fullmatch(parts[3]):
        raise TopicError(f"{topic!r} is not a station's topic")
    return Station(*parts[:3]), parts[3]
