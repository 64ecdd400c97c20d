"""The SQL in docs/samples, on a real database with real records."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from sync import chain
from sync.fleet.arrival import read
from sync.fleet.central import Central
from sync.fleet.database import Database
from sync.segment import encode, join
from tests.sync.fleet.plant import Chain

SAMPLE = Path(__file__).parents[3] / "docs" / "samples" / "telegraf.conf"
QUERY = re.compile(r"\[\[inputs\.sql\.query\]\](.*?)query = '''(.*?)'''", re.S)
QUERIES = {re.search(r'measurement = "(\w+)"', head)[1]: (head, sql) for head, sql in
           QUERY.findall(SAMPLE.read_text())}  # fmt: skip


def utc(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Line(Chain):
    """Parts of today and of last week, with scores."""

    def __init__(self):
        super().__init__(40)
        now = time.time() - 300
        bodies = []
        for seq in range(1, 41):
            content = {
                "schema": "inspection/1", "id": f"id-{seq}", "part_id": None, "score": seq / 100,
                "captured_at": utc(now - (0 if seq > 10 else 7 * 86400)), "stream": "line",
                "decision": "accept" if seq % 2 else "escalate", "station": str(self.station),
                "epoch": self.epoch, "seq": seq,
            }  # fmt: skip
            bodies.append(chain.body(content))
        self.bodies, self.minute = bodies, utc(now)[:16]


@pytest.fixture
def found(postgres):
    database = Database(postgres.create())
    central, line = Central(database, lambda: "2026-11-20T12:00:00.000000Z"), Line()
    segment = join("line", line.epoch, 1, line.hashes[0], line.bodies)
    central.commit([read(line.topic, encode(segment))])

    def ask(measurement):
        head, sql = QUERIES[measurement]
        with database.transaction() as connection:
            rows = [row._asdict() for row in connection.execute(sa.text(sql))]
        columns = re.findall(r"^ *(?:time_column|\w+_columns_include) = (.*)$", head, re.M)
        named = set(re.findall(r'"(\w+)"', " ".join(columns)))
        assert named == set(rows[0])
        return rows, line

    yield ask
    database.close()


@pytest.mark.postgres
def test_parts_by_minute_and_decision(found):
    rows, line = found("parts")
    by_decision = {row["decision"]: row for row in rows}
    assert {name: row["parts"] for name, row in by_decision.items()} == {
        "accept": 15, "escalate": 15,
    }  # fmt: skip
    assert by_decision["accept"]["score"] == pytest.approx(0.25)
    minute = by_decision["accept"]["minute"].astimezone(timezone.utc)
    assert minute.strftime("%Y-%m-%dT%H:%M") == line.minute
    assert rows[0]["station"] == str(line.station)


@pytest.mark.postgres
def test_delivery(found):
    rows, _ = found("delivery")
    assert [(row["through"], row["records"]) for row in rows] == [(40, 40)]


def test_every_query_of_the_sample_is_tested():
    assert set(QUERIES) == {"parts", "delivery"}
