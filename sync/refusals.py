"""Every reason for which a station does not take, or does not keep, a model. Pure.

A code stands in records, in `model/state` and in `fleet status`; the words are for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["trust", "delivery", "line"]
NOT_ITS_FAULT = frozenset({"no_space", "not_calibrated", "task_failed"})
"""Codes that say nothing about the bundle: a newer assignment alone lets it in again."""
LONGEST = 300
"""Letters of what was found, in a refusal."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code means, what mends it, and which part of the station says it."""

    words: str
    mend: str
    owner: Owner


class TrustRefused(Exception):
    """The fleet's word is not taken. `code` is one of REFUSALS; `what` says what was found;
    `mend` what a person can do."""

    def __init__(self, code: str, what: str, mend: str | None = None) -> None:
        self.what = plain(what)
        super().__init__(f"{code}: {self.what}")
        self.code = code
        self.mend = REFUSALS[code].mend if mend is None else mend


def plain(what: str) -> str:
    """Printable and short: it may quote whoever sent nonsense, and is logged, shown and sent."""
    return "".join(one if one.isprintable() else "?" for one in what[:LONGEST])


_FORGED = (
    "if nobody of yours did this, somebody else writes to the broker: look at its ACL "
    "(`edge-inspect fleet acl`)"
)
_REPUBLISH = "`edge-inspect fleet serve` publishes a whole pack within a day, and at its start"
_ELSE = "push a better bundle; this one is not tried again by itself"

REFUSALS: dict[str, Refusal] = {
    "no_trust_root": Refusal(
        "this station has no usable root of trust",
        "bring the fleet's root.json here by hand and name it in sync.trust_root_file",
        "trust",
    ),
    "malformed": Refusal(
        "what came is not written as the fleet writes it",
        f"the fleet's and the station's software must fit together; else {_FORGED}",
        "trust",
    ),
    "endless": Refusal("more data than a pack may have", _FORGED, "trust"),
    "wrong_key": Refusal(
        "no signature by a key that this station trusts",
        f"sign with the fleet's keys, or bring its root.json here; {_FORGED}",
        "trust",
    ),
    "under_threshold": Refusal(
        "fewer signatures than the root asks for",
        "let the others sign too (`edge-inspect fleet keys`)",
        "trust",
    ),
    "revoked_key": Refusal(
        "signed by a key that was withdrawn",
        f"sign with the keys that are in force; {_FORGED}",
        "trust",
    ),
    "rollback": Refusal(
        "signed metadata older than what this station has already taken",
        f"publish the newest (`edge-inspect fleet serve`); {_FORGED}",
        "trust",
    ),
    "old_assignment": Refusal(
        "an assignment no newer than the one in force",
        "order it anew (`edge-inspect fleet push`)",
        "trust",
    ),
    "expired": Refusal(
        "the fleet's word has not been renewed for too long",
        "start `edge-inspect fleet serve`, which renews it daily; the root and the list of "
        "bundles are signed anew with `edge-inspect fleet keys`",
        "trust",
    ),
    "wrong_clock": Refusal(
        "this station's clock cannot be right",
        "set the clock and have it synchronised (`timedatectl`)",
        "trust",
    ),
    "mix_and_match": Refusal(
        "pieces of different states of the repository, or changed ones", _REPUBLISH, "trust"
    ),
    "other_station": Refusal("meant for another station", _FORGED, "trust"),
    "unlisted": Refusal(
        "a file that the fleet's keys for bundles have not signed",
        "push the bundle with those keys (`edge-inspect fleet push`)",
        "trust",
    ),
    "not_stored": Refusal(
        "what was verified could not be written down, so it is not acted on",
        "make room on the disk, or have it looked at (`df -h`); the state directory must be "
        "writable",
        "trust",
    ),
    "oversized": Refusal(
        "the bundle is larger than this station allows",
        "make it smaller, or raise rollout.max_bundle_bytes",
        "delivery",
    ),
    "wrong_bytes": Refusal("a piece is not the one that was signed", _FORGED, "delivery"),
    "truncated": Refusal("a piece or the file is shorter than was signed", _FORGED, "delivery"),
    "too_long": Refusal("a piece or the file is longer than was signed", _FORGED, "delivery"),
    "foreign_piece": Refusal("a piece of another transfer", "nothing; it is ignored", "delivery"),
    "no_space": Refusal(
        "no room on the disk for the bundle",
        "make room (`df -h`), or lower storage.max_bytes",
        "delivery",
    ),
    "rolled_back_before": Refusal(
        "this bundle was rolled back here",
        "push a better one, or this one again on purpose (`--again`)",
        "line",
    ),
    "too_new": Refusal("the bundle needs newer software", "update the station", "line"),
    "unusable": Refusal(
        "not a bundle, or a damaged one",
        "`edge-inspect model prove BUNDLE` says what is wrong with it",
        "line",
    ),
    "task_failed": Refusal(
        "this station could not do a step of it, again and again",
        "look at the reason and at the station's log and disk, then push it again",
        "line",
    ),
    "does_not_load": Refusal("the model does not load on this machine", _ELSE, "line"),
    "does_not_fit": Refusal("shapes or labels are not as the bundle says", _ELSE, "line"),
    "wrong_labels": Refusal("labels that are not those of the model in force", _ELSE, "line"),
    "golden_differs": Refusal("other scores for its own pictures than it says", _ELSE, "line"),
    "died": Refusal("its process died", _ELSE, "line"),
    "hung": Refusal("it did not answer at all", _ELSE, "line"),
    "nonsense": Refusal("answers that are no scores", _ELSE, "line"),
    "late": Refusal("answers after the deadline", _ELSE, "line"),
    "too_slow": Refusal("slower than the deadline allows", _ELSE, "line"),
    "too_large": Refusal(
        "it needs more memory than it may have",
        "push a smaller one, or raise rollout.memory_mb",
        "line",
    ),
    "slower": Refusal("much slower than the model in force", _ELSE, "line"),
    "constant": Refusal("the same score for every part", _ELSE, "line"),
    "escalation": Refusal("more parts go to persons than before", _ELSE, "line"),
    "permissive": Refusal("it accepts what the other model rejects, or persons do", _ELSE, "line"),
    "overkill": Refusal("it rejects parts that persons find good", _ELSE, "line"),
    "verdicts": Refusal("persons say otherwise than it does", _ELSE, "line"),
    "challenge": Refusal("challenge parts say otherwise than it does", _ELSE, "line"),
    "spot_check": Refusal("spot checks say that its bound is broken", _ELSE, "line"),
    "not_calibrated": Refusal(
        "labelled pictures for its cuts did not come in time",
        "label more (`edge-inspect calibrate DIR --apply`), then push it again",
        "line",
    ),
    "ordered": Refusal("a person ordered it", "nothing", "line"),
    "superseded": Refusal("a newer assignment took its place", "nothing", "line"),
}
"""Code → what it means. What is not in here is no code."""
