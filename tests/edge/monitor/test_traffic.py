"""What a degree would mean for people."""

from __future__ import annotations

from edge.monitor.traffic import Seen, Traffic, consequence


def hour() -> Traffic:
    """1,200 parts in an hour: 900 sure accepts, 180 unsure, 60 sure rejects, 60 in doubt."""
    kinds = ["accept"] * 15 + ["escalate"] * 3 + ["reject"] + ["doubt"]
    return Traffic.of(
        Seen(None if kind == "doubt" else kind, kind == "doubt", 3.0 * number)  # type: ignore[arg-type]
        for number, kind in enumerate(kinds * 60)
    )


def test_the_rate_and_the_shares() -> None:
    traffic = hour()
    assert traffic.per_hour == 1200
    assert traffic.asked_share("shadow") == 1.0
    assert traffic.asked_share("partial") == 0.2
    assert traffic.asked_share("full") == 0.05


def test_the_sentence_of_the_design() -> None:
    said = consequence(hour(), "shadow", 90, "hold")
    assert said == (
        "shadow: of 1,200 parts/h, 1,200 (100%) would go to persons; capacity is 90/h;"
        " the fall-back would hold the rest (1,110/h)"
    )


def test_what_fits_needs_no_fall_back() -> None:
    assert consequence(hour(), "partial", 250, "hold").endswith("capacity is 250/h")
    assert "not configured" in consequence(hour(), "partial", None, "hold")


def test_full_says_what_it_rejects() -> None:
    assert "15.0% of parts, unsure, rejected" in consequence(hour(), "full", 100, "reject")


def test_without_cuts_nothing_is_claimed() -> None:
    blind = Traffic.of([Seen(None, False, 0.0), Seen("accept", False, 9.0)])
    assert blind.asked_share("partial") is None
    assert "too little" in consequence(blind, "partial", 90, "hold")
    assert Traffic.of([]).asked_share("shadow") is None
    assert Traffic.of([Seen("accept", False, 1.0)]).per_hour is None


def test_parts_from_before_the_cuts_do_not_hide_the_others() -> None:
    known = [*["accept"] * 90, *["escalate"] * 10]
    seen = [Seen(None, False, 3.0 * number) for number in range(300)]
    seen += [Seen(kind, False, 900 + 3.0 * number) for number, kind in enumerate(known)]  # type: ignore[arg-type]
    traffic = Traffic.of(seen)
    assert traffic.asked_share("partial") == 0.1
    assert traffic.asked_share("full") == 0.0
    assert "10.0% of parts, unsure, rejected" in consequence(traffic, "full", 100, "reject")
    assert Traffic.of(seen[:-1]).asked_share("partial") is None
