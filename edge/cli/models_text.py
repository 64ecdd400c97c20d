"""A station's models in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.config import Config
    from inference.bundle import Bundle

SHOWN = 12
Told = Mapping[str, Any]


def own_rows(config: Path | None) -> list[dict[str, Any]]:
    """A row for each bundle of the station, `role` being what it is for now; none without a
    configuration, or where the station's files are not ours to read."""
    from edge.cli.bundles import row_of
    from edge.config_file import ConfigError, load
    from edge.rollout.looking import folder, roles, standing
    from edge.rollout.standing import FACTORY, SLOTS
    from edge.store.errors import NotOwner
    from edge.store.owner import become_owner

    try:
        settings = load(config)
        become_owner(settings.state_dir)
        found = standing(settings)
        places = [(slot, folder(settings, slot)) for slot in (FACTORY, *SLOTS)]
    except (ConfigError, NotOwner, OSError):
        if config is not None:
            raise
        return []
    told = roles(found)
    here = [(slot, path) for slot, path in places if path.exists()]
    rows = [row_of(slot, path) | {"role": told.get(slot, "not in use")} for slot, path in here]
    for row in rows:
        refused = found.refused.get(row.get("digest", ""))
        if refused is not None:
            row["role"] = f"refused ({refused.code})"
    return rows


def standing(settings: Config) -> Told:
    """How the station stands: the member `rollout` of the status, with the chain of the active
    model."""
    from edge.rollout.looking import rollout
    from edge.store.owner import become_owner

    become_owner(settings.state_dir)
    return rollout(settings)


def text(told: Told) -> str:
    """The same for people."""
    return "\n".join(_lines(told))


def rollout_lines(rollout: object) -> Iterator[str]:
    """A part of the status: who decides, and then the candidate with what it waits for, the trial
    of a new model, or what was lost. Nothing where there is none of these."""
    if not isinstance(rollout, dict):
        return
    running, candidate = rollout.get("running") or {}, rollout.get("candidate")
    lost, trial = rollout.get("lost"), running.get("trial")
    if not candidate and not lost and trial is None:
        return
    yield f"models: {_short(running)} decides" if running else "models: none decides"
    if trial is not None:
        yield f"on trial for {trial:,} more parts: until then it goes back by itself"
    if lost:
        yield f"{_short(lost)} decided before line.db was lost"
    if candidate:
        yield f"candidate {_name(candidate)}"
        yield from (f"  {line.strip()}" for line in _candidate(candidate))


def _lines(told: Told) -> Iterator[str]:
    for word, key in (("active", "running"), ("previous", "previous")):
        yield f"{word:<10} {_place(told.get(key))}"
    candidate, last = told.get("candidate"), told.get("last")
    yield f"candidate  {_name(candidate)}" if candidate else "candidate  none"
    if candidate:
        yield from _candidate(candidate)
    if last:
        yield f"last       {_name(last)}"
        yield from _candidate(last)
    if told.get("lost"):
        yield f"lost       {_short(told['lost'])}: it decided here before line.db was lost"
    for one in told.get("refused") or ():
        yield f"refused    {_short(one)}: {one['code']}, {one['why']} ({one['at'][:16]})"


def _place(one: Told | None) -> str:
    if not one:
        return "none"
    trial = one.get("trial")
    on_trial = "" if trial is None else f", on trial for {trial:,} more parts"
    since = f" since {one['since'][:16]}" if one.get("since") else ""
    cuts = f", calibration {one['calibration']}" if one.get("calibration") else ""
    return f"{_short(one)} in {one['slot']}{since}{cuts}{on_trial}"


def _name(one: Told) -> str:
    share = f", decides {one['share']:.0%} of the parts" if one["state"] == "canary" else ""
    paused = ", paused" if one.get("paused") else ""
    code = f" ({one['code']})" if one.get("code") else ""
    return f"{_short(one)}: {one['state']}{code}{share}{paused}, by {one['by']}"


def _candidate(one: Told) -> Iterator[str]:
    if one.get("why"):
        yield f"           {one['why']}"
    needed = one.get("needed")
    if needed:
        until = f", waited for until {one['until'][:16]}" if one.get("until") else ""
        yield (
            f"           {needed['good']} good and {needed['defect']} defective labelled parts are"
            f" missing{until}"
        )
    evidence = one.get("evidence") or {}
    if evidence.get("parts"):
        yield f"           {_evidence(evidence)}"


def _evidence(figures: Told) -> str:
    permissive, escalated = figures["permissive"], figures["escalated"]
    slow = figures["ms"]
    times = ""
    if slow["candidate"]["p50"] is not None and slow["other"]["p50"] is not None:
        times = f", {slow['candidate']['p50']:g} ms against {slow['other']['p50']:g} ms"
    return (
        f"{figures['parts']:,} parts seen by both; alone accepts {permissive['count']:,}"
        f" ({permissive['called_good']:,} called good), no longer accepts {figures['stricter']:,},"
        f" escalates {escalated['candidate']:,} against {escalated['other']:,}{times}"
    )


def _short(one: Told) -> str:
    return f"{one['name']} {one['version']} ({one['bundle'][:12]})"


def chain(bundle: Bundle, config: Path | None) -> list[dict[str, object]]:
    """The bundle and its ancestors back to the data, youngest first, as far as they are known
    among what ships with this, the station's bundles, and those installed there before."""
    from edge.rollout.ancestry import chain, known

    places, state_dir = _places(bundle, config)
    return [
        one.as_json() for one in chain(bundle.digest, bundle.manifest, known(places, state_dir))
    ]


def _places(bundle: Bundle, config: Path | None) -> tuple[list[tuple[str, Path]], Path | None]:
    import models
    from edge.config_file import ConfigError, load
    from edge.rollout.looking import folder
    from edge.rollout.standing import FACTORY, SLOTS

    beside = [path for path in bundle.root.parent.glob("*") if (path / models.MANIFEST).exists()]
    places = [(str(path), path) for path in beside[:50]]
    places += [(f"@{name}", models.path(name)) for name in models.names()]
    try:
        settings = load(config)
        places += [(slot, folder(settings, slot)) for slot in (FACTORY, *SLOTS)]
    except ConfigError:
        if config is not None:
            raise
        return places, None
    return places, settings.state_dir


def chain_lines(ancestors: list[Any]) -> Iterator[str]:
    """The chain for people."""
    for depth, one in enumerate(ancestors):
        lead = "  lineage    " if depth == 0 else "             " + "  " * depth + "from "
        if one["name"] is None:
            yield f"{lead}{one['bundle'][:12]}, which is not known here"
            return
        where = f" ({one['where']})" if one["where"] else ""
        yield f"{lead}{one['name']} {one['version']} {one['bundle'][:12]}{where}"
        inner = "             " + "  " * depth + "  "
        yield from (f"{inner}{line}" for line in _origin(one))
    if ancestors and ancestors[-1]["parent"] is None:
        yield "             " + "  " * len(ancestors) + "from no other model"


def _origin(one: Told) -> Iterator[str]:
    if one["data_hash"]:
        yield f"data {one['data_hash']}"
    for word in ("training", "metrics"):
        if one[word]:
            yield f"{word} {_words(one[word])}"
    if not one["data_hash"] and not one["training"]:
        yield "it does not say what it was trained on"


def _words(content: Told) -> str:
    shown = [f"{key} {value}" for key, value in list(content.items())[:SHOWN]]
    return ", ".join(" ".join(one.split())[:100] for one in shown)
