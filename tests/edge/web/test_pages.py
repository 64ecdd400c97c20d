"""The pages beside the queue: everything that is said, to everybody it may be said to."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from edge.causes import WORDS
from edge.config import Sync
from edge.records import Moment, utc
from edge.web.chart import bars_chart
from edge.web.formats import Formats
from edge.web.line_state import Known
from edge.web.pages import history, line
from edge.web.texts import LANGUAGES, Texts
from edge.web.today import Bars, Span
from tests.edge.web.parts import BLURRED, DRAWN, picture
from tests.edge.web.plant import Plant, plant_in

PAGES = ("/line", "/camera", "/history", "/people", "/settings")
TOPS = tuple(Texts().of("en")._texts)
KEY = re.compile(rf">[^<]*\b(?:{'|'.join(TOPS)})\.[a-z_]+(?:\.[a-z_]+)*[^<]*<")
HOSTILE = "<script>alert(1)</script>\"'&"
BOUND = {
    "answered": 5, "unanswered": 2, "found": 1, "parts": 9,
    "estimate": 0.2, "lower": 0.1, "upper": 0.4,
}  # fmt: skip
BOUNDS = {
    "calibration": "k", "parts": 1234, "days": 1.0, "confidence": 0.95,
    "escape": {"target": 0.01, "estimate": None},
    "slip": {**BOUND, "target": 0.05}, "overkill_of_rejects": {**BOUND, "answered": 0},
    "challenge": {"escape": {**BOUND, "target": 0.01}, "overkill": {**BOUND, "target": 0.5}},
    "power": [
        {"instrument": "spot checks", "change": "a doubled escape rate", "limit": 0.01,
         "rate": 0.02, "looks": 1709, "days": days, "watches": bool(days and days < 30)}
        for days in (8545.2, 12.0, 0.2, None)
    ],
}  # fmt: skip
STATUS: dict[str, Any] = {
    "degree": "partial", "degree_why": "set by a person", "ceiling": "full", "limits": [],
    "bounds": BOUNDS, "challenge": {"truth": "defect", "left": 3}, "causes": [],
    "parts_per_second": 1.5, "open_escalations": 1, "unrecorded": 0, "overruns": 2,
    "model": {"name": "rings", "version": "1.0.0", "bundle": "b" * 64},
    "storage": {"used_bytes": 5e9, "limit_bytes": 2e10, "pictures": 12345, "days_left": 9.6,
                "outage_days": None},
}  # fmt: skip


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


def page(who: Any, path: str, status: int = 200) -> str:
    answer = who.get(path, {"accept": "text/html"})
    assert answer.status == status, answer.body
    found: str = answer.text
    return found


def words(text: str) -> str:
    """What a person reads."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def busy(plant: Plant) -> Any:
    """Parts of all kinds, an answer, a correction; the part that was answered."""
    plant.line.sure(2)
    part = plant.line.part("P-1", picture())
    blurred = plant.line.part("P-2", doubts=(BLURRED,), reason="doubt")
    drawn = plant.line.part("P-3", decision="accept", spot_check=DRAWN)
    plant.line.journal.append([drawn, plant.line.fate(drawn, "accept", "model")])
    plant.line.draws(drawn)
    plant.asks(part, blurred)
    plant.answers(plant.otto, part, "reject", note="at the rim")
    plant.decided(part)
    plant.otto.post("/api/v1/corrections", {"inspection": part.id, "to": "accept", "reason": "no"})
    plant.lives(**STATUS)
    return part


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_lacks_a_word(plant: Plant, language: str) -> None:
    part = busy(plant)
    for number in "789":
        plant.speaks(number, language)
    for path in (*PAGES, f"/history/{part.id}", "/line?period=day", "/history?verdict=accept"):
        text = page(plant.enno, path)
        assert not KEY.search(text.partition('<script type="application/json"')[0]), path
        assert f'<html lang="{language}">' in text


@pytest.mark.parametrize(
    ("path", "operator"), [(p, p not in ("/camera", "/people")) for p in PAGES]
)
def test_who_may_see_which_page(plant: Plant, path: str, operator: bool) -> None:
    page(plant.lena, path)
    page(plant.otto, path, 200 if operator else 403)
    strange = plant.station.browser().get(path, {"accept": "text/html"})
    assert (strange.status, strange.header("location")) == (303, "/sign-in")


def test_the_figures_of_the_line(plant: Plant) -> None:
    busy(plant)
    text = page(plant.otto, "/line")
    said = words(text)
    assert "Parts 5" in said
    assert "Yield 75.0 %" in said.replace("\u202f", " ")
    assert "Degree of automation" in said
    assert "Why: set by a person" in said
    assert "noticed in about 8,545 days" in said
    assert "would take 1,709 such parts, and none come" in said
    assert "this alone does not watch it" in said
    assert "5.0 GB of 20.0 GB" in said
    assert text.count("<svg viewBox=") >= 2


def test_what_a_challenge_is_about_is_for_leads(plant: Plant) -> None:
    plant.lives(**STATUS)
    assert "defective" in words(page(plant.lena, "/line"))
    assert "the next 3 parts are" not in words(page(plant.otto, "/line"))


@pytest.mark.parametrize("alarm", sorted(WORDS))
def test_every_alarm_is_said_in_the_person_s_language(plant: Plant, alarm: str) -> None:
    parts, mend = WORDS[alarm]
    cause = {"what": "it hurts", "since": "2026-11-20T12:00:00.000Z", "parts": parts, "mend": mend}
    plant.lives(**{**STATUS, "causes": [cause]})
    plant.speaks("8", "de")
    text = words(page(plant.otto, "/line"))
    german = Texts().of("de")
    for told in (german(f"line.cause.{alarm}.title"), german(f"line.cause.{alarm}.parts"), mend):
        assert told in text
    assert "seit 12:00" in text


def test_a_cause_that_is_new_here_is_said_as_it_is(plant: Plant) -> None:
    cause = {"what": f"odd {HOSTILE}", "since": None, "parts": "parts fly", "mend": "duck"}
    plant.lives(**{**STATUS, "causes": [cause]})
    text = page(plant.otto, "/line")
    assert "parts fly" in text
    assert "<script>alert" not in text


def test_a_line_that_is_down_says_so_first(plant: Plant) -> None:
    said = words(page(plant.otto, "/line"))
    assert "The line is not running" in said
    assert "systemctl start edge-inspect-line" in said


def test_an_old_status_without_most_members_breaks_nothing(plant: Plant) -> None:
    plant.station.shop.line.now = Known(up=True, said={"state": "ok"}, trouble=())
    assert "Line" in words(page(plant.enno, "/line"))


def test_only_an_engineer_is_offered_another_degree(plant: Plant) -> None:
    moments = [Moment(1_790_000_000.0 + second, 0) for second in range(3)]
    made = [plant.line.part(captured=one, decision="accept", asked=False) for one in moments]
    plant.line.journal.append(made)
    assert 'id="degree-form"' in page(plant.enno, "/line")
    assert 'id="degree-form"' not in page(plant.lena, "/line")
    told = plant.enno.get("/line/consequences").json["consequences"]
    assert "would go to people" in told["shadow"]
    assert told["full"].startswith("Too little is recorded")
    assert plant.lena.get("/line/consequences").status == 403


def test_a_search_keeps_what_was_asked_and_goes_on(plant: Plant) -> None:
    made = plant.line.sure(35)
    text = page(plant.otto, "/history?decision=accept&score_min=0,1")
    assert 'value="0,1"' in text
    assert '<option value="accept" selected>' in text
    link = re.search(r'id="further" href="([^"]+)"', text)
    assert link
    rest = page(plant.otto, html.unescape(link[1]))
    assert made[0].id in rest
    assert made[34].id not in rest
    assert "Searched back to the beginning" in words(rest)


def test_times_are_those_of_the_station() -> None:
    f = Formats("en", ZoneInfo("Europe/Berlin"))
    assert history._utc("2026-07-01T12:00", "since", f) == "2026-07-01T10:00:00.000Z"
    assert history._utc("2026-12-01T12:00", "since", f) == "2026-12-01T11:00:00.000Z"
    assert history._utc("2026-12-01T12:00:00Z", "since", f) == "2026-12-01T12:00:00.000Z"
    assert history._utc("0001-01-01T00:00", "since", f) == "1971-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("since=never", "From: that is no time."),
        ("score_max=x", "Score: a number is expected."),
        ("decision=x", "There is no such decision."),
        ("cursor=x", "That cannot be searched for."),
    ],
)
def test_what_cannot_be_searched_for_is_said(plant: Plant, query: str, said: str) -> None:
    assert said in words(page(plant.otto, f"/history?{query}", 422))


def test_hostile_texts_are_only_shown(plant: Plant) -> None:
    part = plant.line.part(HOSTILE, picture())
    plant.asks(part)
    plant.answers(plant.lena, part, "reject", note=HOSTILE, label=HOSTILE)
    plant.decided(part)
    plant.station.shop.people.rename(
        plant.station.shop.people.by_id(plant.station.who["9"]),  # type: ignore[arg-type]
        plant.station.who["8"],
        HOSTILE,
        "8",
    )
    for path in ("/line", "/history", f"/history/{part.id}", "/people"):
        text = page(plant.lena, path)
        assert "<script>alert" not in text
        assert html.escape(HOSTILE) in text.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")
    found = page(plant.lena, "/history?part=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in found


def test_one_inspection_in_full_and_in_words(plant: Plant) -> None:
    part = busy(plant)
    said = words(page(plant.lena, f"/history/{part.id}"))
    for told in (
        "P-1",
        "because the score lies between the cuts",
        "The part was rejected by a person",
        "at the rim",
        "Bert Brecht",
        "corrected:",
        "record 7 of its chain",
        "Every member of the record",
    ):
        assert told in said
    assert f"/api/v1/looks/{part.id}" in page(plant.lena, f"/history/{part.id}")
    assert "Ada Lovelace" not in page(plant.otto, f"/history/{part.id}")


def test_what_is_hidden_is_on_no_page(plant: Plant) -> None:
    busy(plant)
    drawn = next(
        one["inspection"] for one in plant.otto.get("/api/v1/inspections?part=P-3").json["items"]
    )
    for who in (plant.otto, plant.lena):
        text = page(who, f"/history/{drawn}")
        said = words(text)
        assert "Nothing is shown that could lead the answer" in said
        assert "scratch" not in said
        assert "0.5" not in said
        assert "looks/" not in text


def test_only_ones_own_answer_is_corrected_but_by_leads(plant: Plant) -> None:
    part = plant.line.part("P-1")
    plant.asks(part)
    assert 'id="correction"' not in page(plant.lena, f"/history/{part.id}")
    plant.answers(plant.lena, part, "reject")
    plant.decided(part)
    assert 'id="correction"' in page(plant.lena, f"/history/{part.id}")
    assert 'id="correction"' in page(plant.enno, f"/history/{part.id}")
    assert 'id="correction"' not in page(plant.otto, f"/history/{part.id}")


def test_a_picture_that_is_gone_is_said_to_be_gone(plant: Plant) -> None:
    part = plant.line.part("P-1", picture())
    plant.asks(part)
    (plant.station.config.state_dir / str(part.image.path if part.image else "")).unlink()
    assert "not kept any more" in words(page(plant.otto, f"/history/{part.id}"))


def test_an_unknown_inspection_is_a_page_too(plant: Plant) -> None:
    text = page(plant.otto, "/history/none", 404)
    assert "<html" in text


def test_answers_of_each_person_only_where_a_lead_switched_that_on(plant: Plant) -> None:
    def answer(name: str) -> None:
        part = plant.line.part(name)
        plant.asks(part)
        plant.answers(plant.otto, part, "reject")

    answer("P-1")
    assert 'data-test="answered"' not in page(plant.lena, "/people")
    assert plant.lena.post("/people/figures", {"on": True}).status == 200
    assert "Nobody has answered since then" in words(page(plant.lena, "/people"))
    plant.station.shop.people._store.set("person_figures", f"on {utc(0.0)}")
    answer("P-2")
    assert "Bert Brecht 2 0 2 0 0" in words(page(plant.lena, "/people"))
    assert plant.lena.post("/people/figures", {"on": False}).status == 200
    assert 'data-test="answered"' not in page(plant.lena, "/people")


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


def test_a_station_with_shifts_offers_both_periods(plant: Plant) -> None:
    assert 'data-test="period-shift"' not in page(plant.otto, "/line")
    shifts = plant.station.config.station.model_copy(update={"shifts": ("06:00", "18:00")})
    for query, word in (("", "This shift, since"), ("period=day", "Today, since midnight")):
        answer = line.page(plant.call("8", "/line", query, station=shifts))
        text = bytes(answer.body).decode()
        assert 'data-test="period-shift"' in text
        assert word in words(text)


def test_delivery_is_said_as_it_is(plant: Plant) -> None:
    assert "Nothing leaves this station" in words(page(plant.otto, "/line"))
    call = plant.call("8", "/line", sync=Sync(broker="mqtt://x:1", acknowledge="collector"))
    assert "The sync service is not running" in words(bytes(line.page(call).body).decode())
    plant.sync_says(
        state="ok",
        pid=os.getpid(),
        backlog=4321,
        connected=False,
        acknowledge="collector",
        streams=[{"name": "line", "waiting_for": "collector"}],
        causes=[{"what": "nobody listens", "since": None, "parts": "wait", "mend": "start it"}],
    )
    said = words(bytes(line.page(call).body).decode())
    for told in ("4,321 records", "not connected", "a collector holds it", "nobody listens"):
        assert told in said
