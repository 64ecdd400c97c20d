"""What is read from the records of a station."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge.decision.challenge import TAG
from edge.records import Inspection, Moment, Origin
from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.traffic import blind_answers, traffic

ORIGIN = Origin("plant/line/station", "boot", "c" * 64, "0.1.0")


def written(tmp_path: Path) -> Path:
    """Four parts, one a second: three in shadow, the second a challenge part; one in assist."""
    path = tmp_path / "line.db"
    first = Inspection("a", ORIGIN, Moment(1000.0, 0), "escalate", "automation", "shadow")
    made = [
        replace(first, would_be="accept"),
        replace(first, id="b", captured=Moment(1001.0, 1), would_be="reject", tags={TAG: "x"}),
        replace(first, id="c", captured=Moment(1002.0, 2), reason="doubt"),
        replace(first, id="d", captured=Moment(1003.0, 3), automation="assist", would_be="accept"),
    ]
    journal = Journal.open(path, "boot", 0)
    journal.append(made)
    journal.close()
    return path


def test_challenge_parts_are_no_traffic(tmp_path: Path) -> None:
    with Archive(written(tmp_path)) as archive:
        seen = traffic(archive)
    assert (seen.parts, seen.seconds, seen.troubled) == (3, 3.0, 1)
    assert dict(seen.would_be) == {"accept": 2}


def test_only_answers_that_nothing_led_count(tmp_path: Path) -> None:
    given = [(name, "reject") for name in "acd"]
    with Archive(written(tmp_path)) as archive:
        assert list(blind_answers(archive, given)) == [("accept", "reject")]
