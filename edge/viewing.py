"""How commands see through the camera: with a camera of their own, or through the running line."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from camera.decode import decode
from camera.feeds import Feed, NewestFeed, WaitingFeed
from camera.frame import Frame
from camera.supervised import Supervisor
from edge import cameras
from edge.clock import Clock
from edge.requests import Request, ask

if TYPE_CHECKING:
    from edge.config import Config

LOOK_AGAIN_S = 0.2


class Viewer(ABC):
    """Pictures for a person to look at; `from_line` says that the running line gave them."""

    from_line = False

    @abstractmethod
    def next(self, timeout: float) -> Frame | None:
        """A picture not given before; None when there was none in time, or no more will come."""

    @property
    @abstractmethod
    def trouble(self) -> str | None:
        """Why there are no pictures, in words."""

    @property
    def ended(self) -> bool:
        """Whether no picture will come any more."""
        return False

    def fresh(self, timeout: float) -> Frame | None:
        """A picture taken after this call."""
        end_ns = time.monotonic_ns() + int(timeout * 1e9)
        called_ns = time.monotonic_ns()
        while (left_ns := end_ns - time.monotonic_ns()) > 0 and not self.ended:
            frame = self.next(left_ns / 1e9)
            if frame is not None and frame.monotonic_ns >= called_ns:
                return frame
        return None


class OwnCamera(Viewer):
    """A camera that this command opened itself."""

    def __init__(self, supervisor: Supervisor, feed: Feed, live: bool) -> None:
        self._supervisor = supervisor
        self._feed = feed
        self._live = live

    @property
    def ended(self) -> bool:
        """Whether a finite source is at its end."""
        return self._feed.ended

    @property
    def trouble(self) -> str | None:
        """What the supervisor says."""
        return self._supervisor.check(time.monotonic_ns())

    def next(self, timeout: float) -> Frame | None:
        """The next picture of a folder or video, the newest of a camera."""
        return self._feed.get(timeout)

    def fresh(self, timeout: float) -> Frame | None:
        """A folder's pictures do not age: its next one."""
        return super().fresh(timeout) if self._live else self.next(timeout)


class LineCamera(Viewer):
    """The newest picture that the running line has inspected, asked for through its requests.

    `whole`: without loss, which takes the line longer.
    """

    from_line = True

    def __init__(self, state_dir: Path, whole: bool = False) -> None:
        self._arguments = {"whole": True} if whole else {}
        self._folder = state_dir / "requests" / "line"
        self._new_id = Clock().new_id
        self._last: object = None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """What the line answered when it had no picture."""
        return self._trouble

    def next(self, timeout: float) -> Frame | None:
        """The line's newest picture, once; the line looks at requests about once a second."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            request = Request(self._new_id(), "frame", self._arguments)
            answer = ask(self._folder, request, within_s=left)
            if answer is None:
                self._trouble = "the line has not answered"
                return None
            if answer["ok"] and answer["monotonic_ns"] != self._last:
                self._last, self._trouble = answer["monotonic_ns"], None
                return _frame(answer)
            self._trouble = str(answer.get("message", "the line has seen no new picture"))
            time.sleep(min(LOOK_AGAIN_S, max(0.0, left)))
        return None


@contextmanager
def viewer(config: Config, whole: bool = False) -> Iterator[Viewer]:
    """The right viewer: the line's, when it runs and holds the camera; else one of our own.

    Folders and videos are always opened here: two may read them. `whole` as for LineCamera.
    Raises StoreError when the line belongs to another user.
    """
    from edge.status import of_service
    from edge.store.owner import become_owner

    source = cameras.source(config.camera)
    if source.live and of_service(config, "line").running:
        become_owner(config.state_dir)
        yield LineCamera(config.state_dir, whole)
        return
    feed = NewestFeed() if source.live else WaitingFeed()
    supervisor = Supervisor(source, feed)
    supervisor.start()
    try:
        yield OwnCamera(supervisor, feed, source.live)
    finally:
        supervisor.close()


def _frame(answer: dict[str, object]) -> Frame:
    from datetime import datetime

    data = Path(str(answer["path"])).read_bytes()
    image, doubts = decode(data)
    taken = datetime.fromisoformat(str(answer["captured_at"]).replace("Z", "+00:00"))
    return Frame(
        image=image,
        monotonic_ns=int(str(answer["monotonic_ns"])),
        captured_at=taken.timestamp(),
        number=int(str(answer["number"])),
        encoded=data,
        doubts=doubts,
    )
