"""Everything that the service has, for whoever answers a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.access.machines import Machines
    from edge.access.people import People
    from edge.access.sessions import Sessions
    from edge.clock import Clock
    from edge.config import Config
    from edge.recovery.history import History
    from edge.review.answers import Answers
    from edge.store.archive import Archive
    from edge.web.events import Hub
    from edge.web.line_state import LineState
    from edge.web.live import LiveCamera
    from edge.web.looks import Looks
    from edge.web.pages_env import Pages
    from edge.web.pictures import Pictures
    from edge.web.reading import Readers
    from edge.web.refusals import Refusals
    from edge.web.texts import Texts
    from edge.web.today import Today


@dataclass(frozen=True, slots=True)
class Shop:
    """The parts of the service, each safe to use from several threads.

    `reading` lends a reader of the line's records (`with shop.reading() as line:`), `answered` one
    of the queue's. `line` is what is known of the line now, `figures` what happened today.
    `refused` counts what was refused, by code. `types` are the known types of defects. `secure`
    says whether browsers come by TLS.
    """

    config: Config
    clock: Clock
    answers: Answers
    people: People
    sessions: Sessions
    machines: Machines
    reading: Readers[History]
    answered: Readers[Archive]
    line: LineState
    figures: Today
    camera: LiveCamera
    pictures: Pictures
    looks: Looks
    texts: Texts
    pages: Pages
    hub: Hub
    refused: Refusals
    types: tuple[str, ...] = ()
    secure: bool = False
