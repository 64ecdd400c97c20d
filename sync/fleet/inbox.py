"""Records that came, until they are committed and acknowledged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sync.acknowledgement import Acknowledgement
from sync.fleet.arrival import Arrival, read
from sync.fleet.central import Central, Commit, Stream
from sync.fleet.database import DatabaseError
from sync.fleet.filing import Tally
from sync.segment import SegmentError
from sync.transport import Message

COMMIT_ROWS = 4000
"""About so many records are committed together; what is behind them waits for the next commit."""

MOST_UNREAD = 256


@dataclass(slots=True)
class Counters:
    """Since the start of this process. `strange` is what was wrong with the last bad message."""

    tally: Tally = field(default_factory=Tally)
    segments: int = 0
    nonsense: int = 0
    refused: int = 0
    rewinds: int = 0
    commits: int = 0
    strange: str = ""

    def odd(self, what: str) -> None:
        """One more message that is none."""
        self.nonsense += 1
        self.strange = what


class Inbox:
    """Reads, commits, and then says so: to `acknowledge`, and to `release` with the message.

    While the disk works on one commit (in a thread of its own), the next messages are read. At most
    one commit is under way, and until `finish` nobody else may use the database.
    """

    def __init__(
        self,
        central: Central,
        counters: Counters,
        acknowledge: Callable[[Stream, Acknowledgement], None],
        release: Callable[[int], None],
    ) -> None:
        self._central = central
        self._counters = counters
        self._acknowledge = acknowledge
        self._release = release
        self._unread: deque[Message] = deque()
        self._read: list[tuple[Arrival, int]] = []
        self._under_way: tuple[Commit, Future[None], list[tuple[Arrival, int]]] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    @property
    def waiting(self) -> bool:
        """Whether anything is not committed yet."""
        return bool(self._unread or self._read or self._under_way)

    def take(self, message: Message) -> None:
        """A message on `results/<stream>`, or on a topic that is none of ours.

        The broker sends only so many with QoS 1 that were not released; with QoS 0 nothing bounds
        them but this.
        """
        if not message.token and len(self._unread) >= MOST_UNREAD:
            self._counters.odd(f"{message.topic[:200]!r}: too many messages of QoS 0; send with 1")
            return
        self._unread.append(message)

    def read(self) -> None:
        """Read and verify as many messages as are committed together."""
        rows = sum(len(arrival.rows) for arrival, _ in self._read)
        while self._unread and rows < COMMIT_ROWS:
            message = self._unread.popleft()
            try:
                arrival = read(message.topic, message.payload)
            except SegmentError as error:
                self._counters.odd(f"{message.topic[:200]!r}: {error}")
                self._release(message.token)
                continue
            self._read.append((arrival, message.token))
            rows += len(arrival.rows)

    def finish(self) -> None:
        """Wait for the commit under way, and say what is committed.

        Raises DatabaseError; then nothing of it counts, and nothing of it was said.
        """
        if self._under_way is None:
            return
        (commit, future, batch), self._under_way = self._under_way, None
        future.result()
        self._said(commit, len(batch))
        for _, token in batch:
            self._release(token)

    def begin(self) -> None:
        """Put what was read into the tables, and begin the commit. Raises DatabaseError."""
        batch, self._read = self._read, []
        if not batch:
            return
        arrivals = [arrival for arrival, _ in batch]
        try:
            commit = self._central.begin(arrivals)
        except DatabaseError:
            raise
        except Exception as error:
            self._one_by_one(arrivals, error)
            for _, token in batch:
                self._release(token)
            return
        self._under_way = commit, self._thread.submit(commit.finish), batch

    def forget(self) -> None:
        """The connection is gone: what was not released comes again. A commit goes on."""
        self._unread.clear()
        self._read.clear()

    def abandon(self) -> None:
        """The database is gone: wait until nothing uses it."""
        self.forget()
        if self._under_way is not None:
            self._under_way[1].exception()
            self._under_way = None

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _one_by_one(self, arrivals: Sequence[Arrival], error: Exception) -> None:
        """The database refuses one of them: it must not hold up the others."""
        if len(arrivals) == 1:
            self._counters.refused += 1
            self._counters.strange = f"{arrivals[0].key}: the database refuses it: {error}"[:500]
            return
        for arrival in arrivals:
            try:
                commit = self._central.begin([arrival])
                commit.finish()
            except DatabaseError:
                raise
            except Exception as cause:
                self._one_by_one([arrival], cause)
                continue
            self._said(commit, 1)

    def _said(self, commit: Commit, segments: int) -> None:
        self._counters.tally.add(commit.tally)
        self._counters.segments += segments
        self._counters.commits += 1
        for stream, held in commit.acknowledgements.items():
            self._acknowledge(stream, held)
