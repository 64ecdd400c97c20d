"""Numbers, times and charts as a person reads them."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from edge.web.chart import bars_chart
from edge.web.formats import Formats
from edge.web.today import Bars, Span


def test_numbers_and_times_in_both_languages() -> None:
    zone = ZoneInfo("Europe/Berlin")
    english, german = Formats("en", zone), Formats("de", zone)
    at = "2026-11-20T12:00:05.123Z"
    assert (english.moment(at), german.moment(at)) == ("2026-11-20 13:00:05", "20.11.2026 13:00:05")
    assert (english.count(1234567), german.count(1234567)) == ("1,234,567", "1.234.567")
    assert (english.number(0.0312, 3), german.number(0.0312, 3)) == ("0.031", "0,031")
    assert german.percent(0.1234) == "12,3\u202f%"
    assert (english.bytes(1.5e9), german.bytes(1.5e9), english.bytes(0)) == (
        "1.5 GB",
        "1,5 GB",
        "0 B",
    )
    for nothing in (None, "", "yesterday"):
        assert english.moment(nothing) == english.clock(nothing) == english.minute(nothing) == "–"


def test_the_chart_has_a_bar_for_each_kind_and_says_what_it_shows() -> None:
    bars = Bars(Span(0.0, 8 * 3600.0), 600, ((5, 1, 2),) + ((0, 0, 0),) * 47)
    text = bars_chart(bars, ZoneInfo("UTC"), 600.0, "parts & more")
    assert text.count("<rect") == 3
    assert 'aria-label="parts &amp; more"' in text
    heights = [float(found) for found in re.findall(r'<rect[^>]*height="([\d.]+)"', text)]
    assert heights[0] == pytest.approx(5 * heights[1], rel=0.02)
    assert heights[2] == pytest.approx(2 * heights[1], rel=0.02)
