"""The page of the line: today's figures, the degree in force, the bounds, trouble, delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.responses import JSONResponse, Response

from edge.access.person import Person
from edge.causes import alarm_of
from edge.decision.policy import DEGREES, rank
from edge.monitor.traffic import Traffic
from edge.traffic import traffic
from edge.web.call import Call
from edge.web.chart import NARROW, WIDE, bars_chart
from edge.web.figures import Shown, period_of, shown
from edge.web.formats import Formats
from edge.web.pages_env import words_of
from edge.web.rule import Rule
from edge.web.sight import leads
from edge.web.texts import Words

WHY = {"the ceiling in the configuration": "ceiling", "set by a person": "person"}
INSTRUMENTS = {"spot checks": "checks", "challenge parts": "challenges"}
CHANGES = {
    "a doubled escape rate": "doubled_escape",
    "a tenfold escape rate": "tenfold_escape",
    "a doubled overkill rate": "doubled_overkill",
    "a tenfold overkill rate": "tenfold_overkill",
    "a doubled slip": "doubled_slip",
    "a tenfold slip": "tenfold_slip",
}


def page(call: Call) -> Response:
    """Everything as it is now; the page asks for itself again every two seconds."""
    words, found = words_of(call), shown(call, period_of(call))
    f = formats(call)
    charts = _charts(call, found, f, words)
    return call.shop.pages.page(
        call,
        "line.html",
        f=f,
        shown=found,
        figures=found.figures,
        shifts=bool(call.shop.config.station.shifts),
        per_hour=_per_hour(found, call.shop.clock.wall()),
        chart=charts[0],
        chart_narrow=charts[1],
        causes=_causes(found, words),
        degree_why=_why(found.line, words),
        newcomer=_newcomer(found.known.said.get("rollout"), words, f),
        bounds=_bounds(found.line["bounds"], f),
        power=_power(found.line["bounds"], f, words),
        challenge=found.line["challenge"] if leads(call.person) else None,
        may_degree=call.person.may("degree"),
        fresh=call.session is not None and call.shop.sessions.fresh(call.session),
        degrees=DEGREES,
        ceiling=call.shop.config.decision.automation,
        above=[one for one in DEGREES if rank(one) > rank(call.shop.config.decision.automation)],
    )


def consequences(call: Call) -> Response:
    """What each degree would do, from the newest parts, in the person's language."""
    with call.shop.reading() as line:
        seen = traffic(line)
    words, f = words_of(call), formats(call)
    said = {degree: _consequence(call, seen, degree, words, f) for degree in DEGREES}
    return JSONResponse({"consequences": said})


def formats(call: Call) -> Formats:
    """How whoever asks reads numbers and times."""
    language = call.who.language if isinstance(call.who, Person) else "en"
    return Formats(language, ZoneInfo(call.shop.config.station.time_zone))


def _per_hour(found: Shown, now: float) -> float | None:
    begin = found.figures.since if not found.figures.complete else found.figures.span.begin
    hours = (now - begin) / 3600
    return found.figures.parts / hours if hours > 1 / 60 else None


def _charts(call: Call, found: Shown, f: Formats, words: Words) -> list[Markup]:
    said = found.figures.decisions
    told = words(
        "line.chart_words",
        parts=f.count(found.figures.parts),
        accept=f.count(said["accept"]),
        reject=f.count(said["reject"]),
        escalate=f.count(said["escalate"]),
    )
    zone = ZoneInfo(call.shop.config.station.time_zone)
    bars, now = found.figures.bars, call.shop.clock.wall()
    return [Markup(bars_chart(bars, zone, now, told, width, f.count)) for width in (WIDE, NARROW)]


def _newcomer(rollout: object, words: Words, f: Formats) -> str | None:
    """The model beside the active one, or the trial of that one."""
    if not isinstance(rollout, Mapping):
        return None
    candidate, running = rollout.get("candidate"), rollout.get("running")
    if isinstance(candidate, Mapping):
        state = str(candidate.get("state"))
        kind = {"canary": "canary", "shadow": "shadow", "needs_calibration": "shadow"}.get(state)
        name, version = str(candidate.get("name")), str(candidate.get("version"))
        share = f.percent(candidate.get("share"))
        key = f"line.newcomer.{kind or 'prepared'}"
        return words(key, name=name, version=version, share=share)
    trial = running.get("trial") if isinstance(running, Mapping) else None
    return None if trial is None else words("line.newcomer.trial", n=f.count(trial))


def _causes(found: Shown, words: Words) -> list[dict[str, Any]]:
    """What is wrong with line and delivery, each with what it does to parts and what mends it."""
    causes = []
    if not found.known.up:
        parts, mend = words("line.down_parts"), words("line.down_mend")
        causes.append(_made(words("line.down"), "", found.line["at"], parts, mend, bad=True))
    for one in (found.line["causes"] or []) if found.known.up else []:
        causes.append(_cause(one, words))
    if found.sync is not None and found.sync_word == "stopped":
        parts, mend = words("line.sync_parts"), words("line.sync_mend")
        causes.append(_made(words("line.sync_down"), "", None, parts, mend))
    elif found.sync is not None:
        causes += [_cause(one, words, "line.sync_parts") for one in found.sync["causes"] or []]
    return causes


def _cause(one: Mapping[str, Any], words: Words, parts_key: str | None = None) -> dict[str, Any]:
    parts, what = str(one.get("parts", "")), str(one.get("what", ""))
    alarm = alarm_of(parts)
    name = what.partition(":")[0]
    key = f"line.cause.{alarm}" if alarm else f"line.limit.{name}"
    title, told = f"{key}.title", f"{key}.parts"
    known = words.has(title)
    parts = words(parts_key) if parts_key else words(told) if words.has(told) else parts
    mend = str(one.get("mend", ""))
    return _made(
        words(title) if known else what, what if known else "", one.get("since"), parts, mend
    )


def _made(
    title: str, what: str, since: object, parts: str, mend: str, bad: bool = False
) -> dict[str, Any]:
    return {
        "title": title,
        "what": what,
        "since": since,
        "parts": parts,
        "mend": mend,
        "bad": bad,
    }


def _why(line: Mapping[str, Any], words: Words) -> str:
    why = str(line["degree_why"] or "")
    if why in WHY:
        return words(f"line.why.{WHY[why]}")
    name, _, reason = why.partition(": ")
    title = f"line.limit.{name}.title"
    return f"{words(title)} ({reason})" if words.has(title) else why


def _bounds(bounds: Any, f: Formats) -> list[dict[str, Any]]:
    if not isinstance(bounds, Mapping):
        return []
    challenge = bounds["challenge"]
    rows = (
        ("slip", bounds["slip"]),
        ("overkill", bounds["overkill_of_rejects"]),
        ("challenge_escape", challenge["escape"]),
        ("challenge_overkill", challenge["overkill"]),
    )
    return [_bound(name, rate, f) for name, rate in rows]


def _bound(name: str, rate: Mapping[str, Any], f: Formats) -> dict[str, Any]:
    measured = bool(rate["answered"])
    return {
        "name": name,
        "estimate": f.percent(rate["estimate"]) if measured else None,
        "lower": f.percent(rate["lower"]),
        "upper": f.percent(rate["upper"]),
        "low": rate["lower"],
        "high": rate["upper"],
        "target": None if rate.get("target") is None else f.percent(rate["target"]),
        "answered": f.count(rate["answered"]),
        "unanswered": f.count(rate["unanswered"]),
        "found": f.count(rate["found"]),
        "broken": rate.get("target") is not None and measured and rate["lower"] > rate["target"],
    }


def _power(bounds: Any, f: Formats, words: Words) -> list[dict[str, Any]]:
    if not isinstance(bounds, Mapping):
        return []
    return [_noticed(one, f, words) for one in bounds.get("power", [])]


def _noticed(one: Mapping[str, Any], f: Formats, words: Words) -> dict[str, Any]:
    change = CHANGES.get(one["change"])
    days = one["days"]
    if days is None:
        when = words("line.power.never", n=f.count(one["looks"]))
    elif days < 1:
        when = words("line.power.hours", n=f.count(max(1, round(24 * days))))
    else:
        when = words("line.power.days", n=f.count(round(days)))
    return {
        "instrument": words(f"line.power.{INSTRUMENTS.get(one['instrument'], 'other')}"),
        "change": one["change"] if change is None else words(f"line.power.{change}"),
        "rate": f.percent(one["rate"]),
        "limit": f.percent(one["limit"]),
        "when": when,
        "watches": one["watches"],
    }


def _consequence(call: Call, seen: Traffic, degree: Any, words: Words, f: Formats) -> str:
    escalation = call.shop.config.escalation
    share, per_hour = seen.asked_share(degree), seen.per_hour
    if share is None or per_hour is None:
        return words("line.consequence.unknown")
    asked = share * per_hour
    said = words(
        "line.consequence.asked",
        parts=f.count(round(per_hour)),
        asked=f.count(round(asked)),
        share=f.percent(share),
    )
    if degree == "full":
        said += " " + words("line.consequence.full", share=f.percent(seen.unsure_share))
    capacity = escalation.answers_per_hour
    if capacity is None:
        return said
    said += " " + words("line.consequence.capacity", capacity=f.count(capacity))
    if asked > capacity:
        rest = f.count(round(asked - capacity))
        said += " " + words(f"line.consequence.{escalation.fallback}", rest=rest)
    return said


RULES = (
    Rule("GET", "/line", page, "look"),
    Rule("GET", "/line/consequences", consequences, "degree", quiet=True),
)
