"""From the configuration to the parts of the service: web on one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge import __version__, bundles
from edge.access.machines import Machines
from edge.access.people import People
from edge.access.secret import secret_of
from edge.access.sessions import Sessions
from edge.access.store import FILE as WEB_FILE
from edge.access.store import WebStore
from edge.clock import Clock, boot_id
from edge.config import Config
from edge.line_watch import LineWatch
from edge.records import Origin
from edge.recovery.history import History
from edge.requests import Desk
from edge.review.answers import Answers
from edge.review.board import Board
from edge.review.chain import Chain
from edge.review.lineside import LineFiles
from edge.review.verdicts import FILE as QUEUE_FILE
from edge.review.waiting import Waiting
from edge.statusfile import StatusFile
from edge.store.archive import Archive
from edge.web.copies import Copies
from edge.web.desk import handlers
from edge.web.events import Hub
from edge.web.following import Follower, Rounds
from edge.web.line_news import LineNews
from edge.web.line_reader import LineReader
from edge.web.line_state import LineState
from edge.web.pages_env import Pages
from edge.web.pictures import Pictures
from edge.web.reading import Readers
from edge.web.refusals import Refusals
from edge.web.shop import Shop
from edge.web.texts import Texts
from edge.web.today import Today
from edge.web.web_status import WebStatus


@dataclass(frozen=True, slots=True)
class Opened:
    """The service without its server. `close` lets everything go, the lock last."""

    shop: Shop
    follower: Follower
    status: WebStatus
    store: WebStore
    chain: Chain
    line: LineFiles

    def close(self) -> None:
        """Once nobody asks and nothing follows any more."""
        self.follower.close()
        self.status.write("stopped")
        self.shop.reading.close()
        self.shop.answered.close()
        self.line.close()
        self.store.close()
        self.chain.close()


def open_all(config: Config, secure: bool) -> Opened:
    """Raises Held (another process writes to the queue), StoreError, sqlite3.Error, OSError."""
    clock, boot = Clock(), boot_id()
    chain = Chain(config.state_dir, boot, clock)
    try:
        store = WebStore(config.state_dir / WEB_FILE)
    except BaseException:
        chain.close()
        raise
    origin = Origin(config.station.path, boot, config.digest, __version__)
    state, hub, refused = LineState(), Hub(), Refusals()
    line_db = config.state_dir / "line.db"
    line = LineFiles(line_db, state.status)
    board = Board(config.web.lease_s)
    answers = Answers(board, chain, clock, origin, line, config.escalation.undo_s)
    secret = secret_of(config.state_dir)
    sessions = Sessions(store, secret, clock, boot, config.web.lock_after_s)
    people = People(store, chain.record, clock, origin, secret, sessions)
    reading = Readers(lambda: History(line_db))
    shop = Shop(
        config=config,
        clock=clock,
        answers=answers,
        people=people,
        sessions=sessions,
        machines=Machines(store, people.reporting, clock),
        reading=reading,
        answered=Readers(lambda: Archive(config.state_dir / QUEUE_FILE)),
        line=state,
        figures=_today(config),
        pictures=Pictures(config.state_dir, _Named(reading, answers)),
        looks=None,
        texts=Texts(),
        pages=Pages(),
        hub=hub,
        refused=refused,
        types=_types(config),
        secure=secure,
    )
    desk = Desk(config.state_dir / "requests" / "web", handlers(answers))
    copies = Copies(store)
    news = LineNews(
        LineReader(line_db), answers, chain, shop.figures, copies, clock, boot, hub.publish
    )
    status = WebStatus(
        StatusFile(config.status_folder, "web"),
        config.web.listen,
        secure,
        config.digest,
        clock.wall,
        state,
        lambda: news.failing,
        _Numbers(shop, desk),
        lambda: chain.head,
    )
    rounds = Rounds(
        {"queue": chain.tend, "sessions": sessions.tidy, "clock": clock.refresh,
         "status": status.write}
    )  # fmt: skip
    watch = LineWatch(StatusFile(config.status_folder, "line"))
    follower = Follower(news, watch, state, answers, desk, copies, rounds, hub.publish, clock)
    return Opened(shop, follower, status, store, chain, line)


def _today(config: Config) -> Today:
    from zoneinfo import ZoneInfo

    return Today(ZoneInfo(config.station.time_zone), config.station.shifts)


def _types(config: Config) -> tuple[str, ...]:
    """The kinds of defects that the model knows: a person says one of them by a tap."""
    bundle, _ = bundles.usable(config.model.bundle)
    if bundle is None:
        return ()
    labels = bundle.manifest.spec.output.labels
    return tuple(one.name for one in labels if one.role == "defect" and one.name != "defect")


@dataclass(frozen=True, slots=True)
class _Named:
    """Path and hash of an inspection's picture, by its record or by what the queue keeps."""

    reading: Readers[History]
    answers: Answers

    def __call__(self, inspection: str) -> tuple[str, str] | None:
        case = self.answers.case(inspection)
        if case is not None:
            return None if case.path is None or case.picture is None else (case.path, case.picture)
        import json

        with self.reading() as line:
            rows = line.find(inspection)
        for row in rows:
            record = json.loads(row.body)
            image = record["image"]
            if record["id"] == inspection and image is not None:
                return str(image["path"]), str(image["sha256"])
        return None


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the status file counts."""

    shop: Shop
    desk: Desk

    def waiting(self) -> Waiting:
        return self.shop.answers.waiting()

    def sessions(self) -> int:
        return self.shop.sessions.count

    def streams(self) -> int:
        return self.shop.hub.streams

    def refused(self) -> Mapping[str, int]:
        return self.shop.refused.all()

    def nonsense(self) -> int:
        return self.desk.nonsense
