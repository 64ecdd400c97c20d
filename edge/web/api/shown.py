"""What the API says of a case, and of answers: nothing that would lead a person."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from edge.review.case import Case
from edge.review.group import Group
from edge.review.waiting import Claim, Listed, Outcome
from edge.web.shop import Shop


def claimed(shop: Shop, claim: Claim) -> dict[str, Any]:
    """A claim as whoever made it is told."""
    after = claim.next
    return {
        "claim": claim.token,
        "lease_s": claim.lease_s,
        "case": case(shop, claim),
        "next": None
        if after is None
        else {"inspection": after.inspection, "picture_url": picture_url(after)},
    }


def case(shop: Shop, claim: Claim) -> dict[str, Any]:
    """What may be seen of the case before it is answered.

    A case that is shown alone says nothing of itself but its number: not why it is asked, nor until
    when, nor of which kind it is.
    """
    given, alone, may_see = claim.case, claim.case.alone, sees(claim)
    return {
        "inspection": given.inspection,
        "part_id": given.part_id,
        "captured_at": given.captured_at,
        "reason": None if alone else given.reason,
        "doubts": [] if alone else list(given.doubts),
        "left_s": None if alone else rounded(claim.left_s),
        "allowed_s": None if alone else given.allowed_s,
        "alone": alone,
        "basis": "part" if given.picture is None or (given.basis == "part" and not alone)
        else "picture",
        "picture": given.picture,
        "picture_url": picture_url(given),
        "look_url": look_url(shop, given) if may_see else None,
        "answer": dict(given.answer) if may_see else None,
        "types": list(shop.types),
        "shown": may_see,
    }  # fmt: skip


def sees(claim: Claim) -> bool:
    """Whether whoever has the case is shown the model's answer with it."""
    return claim.may_see and not claim.case.alone


def picture_url(given: Case) -> str | None:
    """Where the picture is, as large as a screen."""
    if given.picture is None:
        return None
    return f"/api/v1/pictures/{quote(given.inspection, safe='')}/{quote(given.picture, safe='')}"


def look_url(shop: Shop, given: Case) -> str | None:
    """Where the overlay is of what the model looked at; None where there can be none."""
    possible = shop.config.web.look and given.picture is not None and given.bundle is not None
    return f"/api/v1/looks/{quote(given.inspection, safe='')}" if possible else None


def listed(one: Listed) -> dict[str, Any]:
    """One row of the queue."""
    return {
        "inspection": one.inspection,
        "part_id": one.part_id,
        "since": one.since,
        "left_s": rounded(one.left_s),
        "claimed": one.claimed,
        "mine": one.mine,
        "alone": one.alone,
    }


def group(shop: Shop, found: Group) -> dict[str, Any]:
    """Many parts of one cause, with what a grid of their pictures needs."""
    cases = [shop.answers.case(name) for name in found.inspections]
    return {
        "cause": found.cause,
        "count": found.count,
        "since": found.since,
        "inspections": [
            {
                "inspection": one.inspection,
                "picture": one.picture,
                "part_id": one.part_id,
                "picture_url": picture_url(one),
            }
            for one in cases
            if one is not None
        ],
    }


def given(shop: Shop, outcome: Outcome) -> dict[str, Any]:
    """What became of an answer, with the model's where it is revealed now."""
    known = shop.answers.case(outcome.inspection)
    reveals = outcome.answer is not None and known is not None
    return {
        "verdict": outcome.id,
        "inspection": outcome.inspection,
        "state": outcome.state,
        "undo_s": round(outcome.undo_s, 2),
        "answer": None if outcome.answer is None else dict(outcome.answer),
        "look_url": look_url(shop, known) if reveals and known is not None else None,
        "fate": None if outcome.fate is None else outcome.fate.as_json(),
    }


def amended(outcome: Outcome) -> dict[str, Any]:
    """What became of an undo or a correction."""
    return {
        "correction": outcome.id,
        "inspection": outcome.inspection,
        "state": outcome.state,
        "fate": None if outcome.fate is None else outcome.fate.as_json(),
        "corrected": outcome.corrected,
    }


def rounded(seconds: float | None) -> float | None:
    """To a tenth: more would only be noise."""
    return None if seconds is None else round(seconds, 1)
