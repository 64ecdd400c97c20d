"""What commands can ask of a running line, through `requests/line/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

from edge.clock import Clock
from edge.decision.policy import DEGREES
from edge.files import write_atomically
from edge.records import Automation, Degree, utc
from edge.requests import Answer, Refused, Request
from edge.store.encoding import encode
from edge.workers.entry import Entry
from edge.workers.inspect import Inspector
from edge.workers.keep import ending
from edge.workers.ruler import Ruler

COMMIT_WITHIN_S = 3.0


class LineRequests:
    """The handlers of the line. Called on the tend thread."""

    def __init__(
        self,
        state_dir: Path,
        inspector: Inspector,
        ruler: Ruler,
        clock: Clock,
        in_force: Callable[[], None],
    ) -> None:
        self.record: Callable[[Entry], None] | None = None
        self._folder = state_dir / "frames"
        self._inspector = inspector
        self._ruler = ruler
        self._clock = clock
        self._now = in_force

    @property
    def handlers(self) -> Mapping[str, Callable[[Request], Answer]]:
        """One handler for each kind of request."""
        return {
            "set_degree": self._set_degree,
            "clear_limit": self._clear_limit,
            "frame": self._frame,
        }

    def _set_degree(self, request: Request) -> Answer:
        """Arguments: degree, reason. Applied and recorded once, whatever happens in between."""
        degree, reason = _known(request.arguments.get("degree")), _text(request, "reason")
        if degree is None or reason is None or not request.by:
            raise Refused("expected a degree, a reason, and the person who decides it")
        moment = self._clock.moment()
        record = self._ruler.choose(degree, reason, request.by, request.account, request.id, moment)
        return self._in_force(record, request)

    def _clear_limit(self, request: Request) -> Answer:
        """Arguments: limit, reason. Ends a latched limit."""
        limit, reason = _text(request, "limit"), _text(request, "reason")
        if limit is None or reason is None or not request.by:
            raise Refused("expected a limit, a reason, and the person who decides it")
        moment = self._clock.moment()
        record = self._ruler.clear(limit, reason, request.by, request.account, request.id, moment)
        if record is None:
            latched = [known.name for known in self._ruler.limits if known.latched]
            named = ", ".join(latched) or "none"
            raise Refused(
                f"{limit} is no latched limit (latched: {named}); others end by themselves"
            )
        return self._in_force(record, request)

    def _in_force(self, record: Automation, request: Request) -> Answer:
        # at once: after the answer no part may begin under the degree before
        self._now()
        committed = Event()
        assert self.record is not None
        entry = Entry(
            (record,), state=self._ruler.state(), request_id=request.id, done=committed.set
        )
        self.record(entry)
        if not committed.wait(COMMIT_WITHIN_S):
            raise Refused("it is in force, but the record waits for the disk: see `status`")
        return {"in_force": self._ruler.now.degree, "why": self._ruler.now.why}

    def _frame(self, request: Request) -> Answer:
        """Leave the newest picture in `frames/` and say where. Argument: whole (pixels as PNG)."""
        frame = self._inspector.newest
        if frame is None or (frame.encoded is None and frame.image is None):
            raise Refused("the line has seen no picture yet")
        data, whole = frame.encoded, request.arguments.get("whole") is True
        if data is None:
            assert frame.image is not None
            data = encode(frame.image, "png" if whole else "jpeg")
        self._folder.mkdir(exist_ok=True)
        path = self._folder / f"newest{ending(data)}"
        write_atomically(path, data, durable=False)
        return {
            "path": str(path),
            "number": frame.number,
            "captured_at": utc(frame.captured_at),
            "monotonic_ns": frame.monotonic_ns,
        }


def _known(name: object) -> Degree | None:
    return next((degree for degree in DEGREES if degree == name), None)


def _text(request: Request, name: str) -> str | None:
    value = request.arguments.get(name)
    return value if isinstance(value, str) and value else None
