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


def models(**changes):
    desired = {"name": "caps", "version": "1.2.0", "serial": 7, "action": "run"}
    said = {
        "state": "downloading",
        "code": None,
        "why": None,
        "bytes": 2_100_000,
        "size": 5_000_000,
        "desired": desired | changes.pop("desired", {}),
        "refusal": None,
        "ignored": {},
    }
    _, *lines = delivery_lines({"acknowledge": "broker", "models": said | changes})
    return lines


def test_how_far_the_fleet_s_bundle_is():
    assert models() == ["models: caps 1.2.0, assignment 7: downloading, 2.1 of 5.0 MB"]
    assert models(state="verified")[0].endswith("here and verified")
    assert models(desired={"action": "pause"})[0].endswith("MB, paused by the fleet")
    [gone] = models(state="none", desired={"action": "cancel"})
    assert gone.endswith("(cancel): nothing to fetch")


def test_why_it_waits_or_was_refused():
    [waits] = models(state="assigned", code="no_space", why="10 bytes are needed")
    assert waits.endswith("assigned, 2.1 of 5.0 MB (no_space: 10 bytes are needed)")
    [refused] = models(state="refused", code="oversized", why="too much")
    assert refused.endswith("refused (oversized: too much)")
    refusal = {"code": "expired", "why": "since May", "mend": "start serve", "at": "today"}
    _, said, mend, ignored = models(refusal=refusal, ignored={"foreign_piece": 3})
    assert "expired at today: since May" in said
    assert mend == "  mend: start serve"
    assert ignored == "  pieces without effect: 3 foreign_piece"


def test_a_station_without_a_root_of_trust_says_nothing_of_models():
    assert models(state="no_trust_root") == []
    assert len(delivery_lines({"acknowledge": "broker", "models": None})) == 1
