from zoneinfo import ZoneInfo

import pytest

from edge.cli.since import parse_since

BERLIN = ZoneInfo("Europe/Berlin")
WALL = 1_795_000_000.0  # 2026-11-18 12:06:40 in Berlin


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", "2026-11-18T09:36:40.000Z"),
        ("12h", "2026-11-17T23:06:40.000Z"),
        ("7d", "2026-11-11T11:06:40.000Z"),
        ("30s", "2026-11-18T11:06:10.000Z"),
        ("today", "2026-11-17T23:00:00.000Z"),
        ("2026-11-18", "2026-11-17T23:00:00.000Z"),
        ("2026-07-01T12:00", "2026-07-01T10:00:00.000Z"),
        ("2026-11-18T10:00:00.500Z", "2026-11-18T10:00:00.500Z"),
        ("2026-11-18T10:00+05:00", "2026-11-18T05:00:00.000Z"),
    ],
)
def test_what_people_type(text: str, moment: str) -> None:
    assert parse_since(text, WALL, BERLIN) == moment


@pytest.mark.parametrize("text", ["", "soon", "12", "2026-13-01", "-5m", "1.5h"])
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="expected 90m"):
        parse_since(text, WALL, BERLIN)
