"""What each cause of trouble does to parts, and what mends it. Pure."""

from __future__ import annotations

WORDS = {
    "camera": (
        "no pictures: parts without a picture go to a person",
        "check cable and power of the camera; `edge-inspect camera list` shows what is there",
    ),
    "frozen": (
        "the camera repeats one picture: parts go to a person",
        "switch the camera off and on; `edge-inspect camera snapshot` shows what it sees",
    ),
    "model": (
        "the model does not answer: parts go to a person",
        "`edge-inspect model prove BUNDLE` says what is wrong with the model",
    ),
    "record": (
        "records wait in memory; when it is full, parts go to a person unrecorded",
        "make room on the disk (`df -h`), or look at the log of the line",
    ),
    "pictures": (
        "parts are decided and recorded, their pictures are not kept",
        "make room on the disk (`df -h`)",
    ),
    "storage": (
        "parts are decided and recorded; when no room is left, they go to a person unrecorded",
        "see why sync is behind, make room on the disk, or raise storage.max_bytes",
    ),
    "verdicts": (
        "persons' answers are recorded and do not reach the line: the fall-back decides",
        "look at the log of the line; `queue.db` in the state directory cannot be read",
    ),
    "database": (
        "parts are decided and recorded, in a new epoch; the older records are being saved",
        "nothing at once; have the disk looked at (`smartctl -a`), it may be failing",
    ),
    "watch": (
        "parts are decided; nobody watches whether the bounds still hold",
        "look at the log of the line; `edge-inspect results --verify`",
    ),
    "rollout": (
        "parts are decided by the model in force; a new one was not taken",
        "`edge-inspect model show` says why; `edge-inspect model cancel --by NAME` takes note",
    ),
    "models": (
        "parts are decided by the configured model, not by the one that decided before",
        "nothing while that one is the candidate (`edge-inspect model show`); else install it, or"
        " push it again; `edge-inspect model cancel --by NAME --reason WHY` takes note",
    ),
}
"""For each alarm: what happens to parts, and what to do."""


def mend(limit: str) -> str:
    """The command that ends this limit, or shows what holds it."""
    return {
        "no_calibration": "`edge-inspect calibrate DIR --apply --by NAME`, or"
        " `edge-inspect calibration apply ID --by NAME --reason TEXT`",
        "uncertified": "calibrate, or set decision.allow_uncertified: true",
        "unconfirmed": "`edge-inspect model confirm BUNDLE --by NAME` after looking at the fields",
        "no_model": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
        "model_failing": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
        "model_dying": "`edge-inspect model prove BUNDLE` says what is wrong with the model",
    }.get(limit, f"find the cause, then `edge-inspect automation clear {limit} --by NAME`")


def alarm_of(parts: str) -> str | None:
    """The alarm whose words these are."""
    return next((name for name, (said, _) in WORDS.items() if said == parts), None)
