"""The outcome of a verification, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from edge.recovery.aside import Case
    from edge.recovery.verify_saved import Rescue
    from edge.store.verify import Finding

SHOWN = 20


def progress_on(stream: TextIO) -> Callable[[int, int], None]:
    """Tells how far it is: one line that is overwritten on a terminal, now and then elsewhere."""
    terminal = stream.isatty()

    def tell(done: int, total: int) -> None:
        percent = 100 * done // max(total, 1)
        if terminal:
            stream.write(f"\rverifying {done:,} of {total:,} ({percent} %) ")
            stream.write("\r\x1b[K" if done >= total else "")
        elif done % 100_000 == 0:
            stream.write(f"verifying {done:,} of {total:,} ({percent} %)\n")
        stream.flush()

    return tell


def in_words(finding: Finding) -> Iterator[str]:
    """A few lines: where the chain starts, whether it holds, which pictures are not right."""
    anchor = finding.anchor
    if anchor.seq:
        yield (
            f"The chain starts at its anchor: {anchor.count:,} records up to {anchor.seq} were"
            f" deleted, last on {anchor.at}, acknowledged by {anchor.acknowledged_by or 'nobody'};"
            f" {finding.kept:,} of before are kept."
        )
    if finding.broken is not None:
        yield f"BROKEN at record {finding.broken.seq}: {finding.broken.what}."
        yield f"{max(finding.broken.seq - anchor.seq - 1, 0):,} records before it are sound."
    else:
        yield (
            f"The chain is whole: {finding.records:,} records of epoch {finding.epoch},"
            f" the last hash is {finding.last_hash}."
        )
    bad = finding.pictures
    yield (
        f"Pictures: {finding.checked_pictures:,} named, {finding.checked_pictures - len(bad):,}"
        f" as recorded, {len(bad):,} missing or changed; {finding.given_up:,} were removed to make"
        " room."
    )
    yield from (f"  record {damage.seq}: {damage.what}" for damage in bad[:SHOWN])
    if len(bad) > SHOWN:
        yield f"  and {len(bad) - SHOWN:,} more (--json lists all)"


def as_json(finding: Finding) -> dict[str, object]:
    """The same as one object. `sound` is what the exit code says."""
    anchor, broken = finding.anchor, finding.broken
    return {
        "sound": finding.sound and finding.epoch is not None,
        "epoch": finding.epoch,
        "anchor": {
            "seq": anchor.seq,
            "hash": anchor.hash,
            "count": anchor.count,
            "at": anchor.at,
            "acknowledged_by": anchor.acknowledged_by,
        },
        "records": finding.records,
        "kept": finding.kept,
        "last_hash": finding.last_hash,
        "broken": None if broken is None else {"seq": broken.seq, "what": broken.what},
        "pictures": {
            "named": finding.checked_pictures,
            "given_up": finding.given_up,
            "damaged": [{"seq": one.seq, "what": one.what} for one in finding.pictures],
        },
    }


def saved_in_words(saved: list[Rescue], waiting: list[Case]) -> Iterator[str]:
    """What was saved of each damaged database, what was lost, and whether it is still there."""
    for one in saved:
        finding, told = one.finding, one.told
        yield (
            f"Saved from a damaged {told.get('database')} ({told.get('why')}):"
            f" {finding.records:,} records of epoch {finding.epoch}, in {one.path.name}."
        )
        if told.get("lost_records"):
            yield f"LOST: {told['lost_records']:,} records: {_ranges(one.lost)}."
        if finding.broken is not None:
            yield f"BROKEN at record {finding.broken.seq} of these: {finding.broken.what}."
        yield from (f"  record {bad.seq}: {bad.what}" for bad in finding.pictures[:SHOWN])
    for case in waiting:
        yield (
            f"NOT SAVED YET: {case.database} was damaged ({case.why}) on {case.at} and lies in"
            f" damaged/{case.folder.name}. The line saves its records while it runs."
        )


def saved_as_json(saved: list[Rescue], waiting: list[Case]) -> dict[str, object]:
    """The same as members of the object."""
    files = [
        {
            "file": one.path.name,
            "sound": one.complete,
            "broken": None if one.finding.broken is None else asdict(one.finding.broken),
            "pictures": [asdict(bad) for bad in one.finding.pictures],
            "told": one.told,
        }
        for one in saved
    ]
    return {"salvaged": files, "unsaved": [case.folder.name for case in waiting]}


def _ranges(ranges: list[tuple[int, int]]) -> str:
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:SHOWN]]
    return ", ".join(shown) + (" and more (--json lists all)" if len(ranges) > SHOWN else "")
