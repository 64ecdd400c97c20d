"""What one transaction writes: bodies made, chained and sorted into tables. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge.decision.challenge import TAG
from edge.records import Disposition, ImageRef, Inspection, Record
from edge.store.errors import AlreadyDecided, Unwritable
from edge.store.escalations import Deadline
from edge.store.rows import columns, counted
from edge.store.shelf import on_disk, worth
from sync.chain import body, link

PictureRow = tuple[int, str, int, int]
RecordRow = tuple[int, str, str, str | None, str | None, str | None, bytes, bytes]
EscalationRow = tuple[str, int, str | None, str, int, float]


@dataclass(frozen=True, slots=True)
class Committed:
    """A record that is on the disk, with its place in the chain."""

    seq: int
    body: bytes
    hash: str
    record: Record


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record of a chain. Before the first one: seq 0 and 64 zeros."""

    stream: str
    epoch: str
    seq: int
    hash: str


@dataclass(slots=True)
class Batch:
    """The rows of one transaction.

    `opened` are escalations that begin, `disposed` the inspections that got their disposition.
    Of these, `earlier` were not part of this batch: whether they exist is for the database to say.
    """

    chained: list[Committed] = field(default_factory=list)
    rows: list[RecordRow] = field(default_factory=list)
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    pictures: list[PictureRow] = field(default_factory=list)
    opened: dict[str, EscalationRow] = field(default_factory=dict)
    disposed: set[str] = field(default_factory=set)
    earlier: dict[str, Disposition] = field(default_factory=dict)


def make_batch(
    head: Head, records: Iterable[Record], deadlines: Mapping[str, Deadline], boot_id: str
) -> Batch:
    """Chain the records behind `head`.

    Raises Unwritable for a record that is not JSON or for an escalated and asked inspection
    without a deadline, AlreadyDecided for two dispositions of one inspection.
    """
    batch = Batch()
    inspections: set[str] = set()
    seq, last = head.seq, head.hash
    for record in records:
        seq += 1
        content = record.content()
        content.update(stream=head.stream, epoch=head.epoch, seq=seq)
        try:
            made = _body(content)
            found = columns(content)
        except (TypeError, ValueError, KeyError) as error:
            raise Unwritable(f"{record.schema} {record.id}: {error}", record) from error
        last = link(last, made)
        batch.chained.append(Committed(seq, made, last, record))
        batch.rows.append((seq, *found, made, bytes.fromhex(last)))
        for name in counted(content):
            batch.counts[name] += 1
        if isinstance(record, Inspection):
            inspections.add(record.id)
            if record.image is not None:
                batch.pictures.append(_picture(seq, record, record.image))
            if record.decision == "escalate" and record.asked:
                batch.opened[record.id] = _escalation(record, seq, deadlines, boot_id)
        elif isinstance(record, Disposition):
            _dispose(batch, record, inspections)
    return batch


def _body(content: dict[str, object]) -> bytes:
    try:
        return body(content)
    except UnicodeEncodeError:
        # A file name or a part id that is no UTF-8 must not cost the part its record.
        content.update({name: _readable(value) for name, value in content.items()})
        return body(content)


def _readable(value: object) -> object:
    """The value with everything that UTF-8 cannot say replaced by question marks."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_readable(key): _readable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(inner) for inner in value]
    return value


def _picture(seq: int, record: Inspection, image: ImageRef) -> PictureRow:
    value = worth(record.decision, record.asked, TAG in record.tags)
    return seq, image.path, on_disk(image.size), value


def _escalation(
    record: Inspection, seq: int, deadlines: Mapping[str, Deadline], boot_id: str
) -> EscalationRow:
    deadline = deadlines.get(record.id)
    if deadline is None:
        raise Unwritable(f"escalated inspection {record.id} came without a deadline", record)
    return (record.id, seq, record.part_id, boot_id, deadline.monotonic_ns, deadline.allowed_s)


def _dispose(batch: Batch, record: Disposition, inspections: set[str]) -> None:
    about = record.inspection
    if about in batch.disposed:
        raise AlreadyDecided(about, record)
    batch.disposed.add(about)
    if about not in inspections:
        batch.earlier[about] = record
    batch.opened.pop(about, None)
