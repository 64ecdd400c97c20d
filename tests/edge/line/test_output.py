"""What the line is told."""

from __future__ import annotations

import io
import json
import os

from edge.line.output import Lines, Records, Silent
from edge.store.batch import Committed
from tests.edge.store.builders import inspection


def test_a_decision_is_one_json_line_written_at_once() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        made = inspection(1, "reject", part="p")
        Lines(stream).tell(made)
        told = json.loads(os.read(reader, 1000))
        assert told == {
            "id": made.id, "part_id": "p", "decision": "reject", "reason": "confident"
        }  # fmt: skip
    os.close(reader)


def test_records_are_the_stored_bytes() -> None:
    stream = io.StringIO()
    tell = Records(stream)
    tell([Committed(n, b'{"n":%d,"\xc3\xa9":1}' % n, "h", inspection(n)) for n in (1, 2)])
    tell([])
    assert stream.getvalue() == '{"n":1,"é":1}\n{"n":2,"é":1}\n'


def test_a_reader_that_goes_away_ends_the_telling_and_nothing_else() -> None:
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    lines = Lines(stream)
    os.close(reader)
    for number in range(3):
        lines.tell(inspection(number))
    stream.close()  # would raise if something were left in its buffer


def test_a_closed_stream_is_no_error() -> None:
    stream = io.StringIO()
    stream.close()
    Lines(stream).tell(inspection(1))
    Silent().tell(inspection(1))
