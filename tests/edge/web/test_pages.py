"""The pages beside the queue: everything that is said, to everybody it may be said to."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.causes import WORDS
from edge.config import Sync
from edge.records import Moment, utc
from edge.web.formats import Formats
from edge.web.line_state import Known
from edge.web.pages import history, line
from edge.web.texts import LANGUAGES, Texts
from tests.edge.web.parts import picture
from tests.edge.web.plant import STATUS, Plant, busy, page, plant_in, words

PAGES = ("/line", "/camera", "/history", "/people", "/settings")
TOPS = tuple(Texts().of("en")._texts)
KEY = re.compile(rf">[^<]*\b(?:{'|'.join(TOPS)})\.[a-z_]+(?:\.[a-z_]+)*[^<]*<")
HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


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


def test_the_model_beside_the_active_one_is_named_with_its_share(plant: Plant) -> None:
    def said(candidate: object, trial: int | None = None) -> str:
        rollout = {"candidate": candidate, "running": {"trial": trial}}
        plant.station.shop.line.now = Known(up=True, said={"degree": "full", "rollout": rollout})
        return words(page(plant.otto, "/line")).replace("\u202f", " ")

    one = {"name": "caps", "version": "2.0.0", "state": "canary", "share": 0.25}
    assert "caps 2.0.0 decides 25.0 % of the parts" in said(one)
    assert "caps 2.0.0 answers along and decides nothing" in said({**one, "state": "shadow"})
    assert "caps 2.0.0. It decides nothing" in said({**one, "state": "verified", "share": 0})
    assert "on trial for 40 more parts" in said(None, 40)
    assert "on trial" not in said(None)


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
