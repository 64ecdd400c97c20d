"""How a command says something to the queue, whether the page's service runs or not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from edge import __version__
from edge.clock import Clock, boot_id
from edge.records import Origin
from edge.requests import Answer, Desk, Request, ask
from edge.status import account, of_service
from edge.store.errors import Held

if TYPE_CHECKING:
    from edge.config import Config
    from edge.review.chain import Chain

PATIENCE_S = 5.0


def ask_queue(
    config: Config, kind: str, arguments: Mapping[str, object], by: str | None
) -> Answer | None:
    """The answer (`ok`, and `message` where it is false); None while the service has not answered.

    Another command that is writing at this very moment is waited for. Called as the owner of the
    state directory. Raises Held, StoreError, sqlite3.Error, OSError: nothing is recorded then.
    """
    from edge.review.chain import Chain

    clock, end = Clock(), time.monotonic() + PATIENCE_S
    request = Request(clock.new_id(), kind, dict(arguments), by, account())
    folder = config.state_dir / "requests" / "web"
    while True:
        try:
            chain = Chain(config.state_dir, boot_id(), clock)
        except Held:
            if of_service(config, "web").running:
                return ask(folder, request)
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
            continue
        with chain:
            return _apply(config, chain, clock, request)


def _apply(config: Config, chain: Chain, clock: Clock, request: Request) -> Answer:
    """With the service's own code, while it does not run."""
    from edge.review.answers import Answers
    from edge.review.board import Board
    from edge.review.lineside import LineFiles
    from edge.web.desk import handlers

    def status() -> Mapping[str, object] | None:
        line = of_service(config, "line")
        return line.content if line.running else None

    origin = Origin(config.station.path, boot_id(), config.digest, __version__)
    line = LineFiles(config.state_dir / "line.db", status)
    answers = Answers(Board(), chain, clock, origin, line, config.escalation.undo_s)
    try:
        folder = config.state_dir / "requests" / "web"
        return Desk(folder, handlers(answers)).apply(request)
    finally:
        line.close()
