from __future__ import annotations

from edge.cli.delivery_text import delivery_lines

BEHIND = {"name": "line", "backlog": 7, "waiting_for": "collector", "gaps": {"lost": 2}}
WELL = {"name": "queue", "backlog": 0, "waiting_for": None, "gaps": {}}


def test_whose_word_it_is():
    [line] = delivery_lines({"acknowledge": "broker", "streams": [WELL], "ignored": 0})
    assert "the broker said so" in line
    [line] = delivery_lines({"acknowledge": "collector", "collector": None})
    assert "none has spoken yet" in line
    said = {"store": "s", "at": "2026-11-20T12:00:00.000Z"}
    [line] = delivery_lines({"acknowledge": "collector", "collector": said})
    assert "2026-11-20" in line


def test_what_is_behind_and_what_is_missing():
    content = {"acknowledge": "broker", "streams": [BEHIND, WELL], "ignored": 3}
    _, behind, ignored = delivery_lines(content)
    assert behind == "line: backlog 7 records; waiting for the collector; 2 lost"
    assert ignored.startswith("3 messages")
