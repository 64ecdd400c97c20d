import json
import random
from pathlib import Path

from edge.store.archive import Archive
from edge.store.journal import Journal
from edge.store.verify import verify
from tests.edge.store.processes import writer


def test_what_was_reported_as_committed_is_there_after_fifty_kills(tmp_path: Path) -> None:
    path, chance = tmp_path / "line.db", random.Random(7)
    told: dict[int, str] = {}
    for _ in range(50):
        told.update(_run_and_kill(path, reports=chance.randrange(1, 30)))
        with Archive.open(path) as archive:
            stored = {row.seq: row.hash for row in archive.rows(0, 1 << 30, 1 << 40)}
        assert told.items() <= stored.items()
        told = stored
    assert len(told) > 300
    with Archive.open(path) as archive:
        finding = verify(archive, tmp_path)
        assert (finding.broken, finding.records) == (None, len(told))
    _escalations_agree_with_the_records(path)


def _run_and_kill(path: Path, reports: int) -> dict[int, str]:
    told = {}
    with writer(path) as process:
        assert process.stdout is not None
        for _, line in zip(range(reports), process.stdout, strict=False):
            seq, digest = line.split()
            told[int(seq)] = digest
        process.kill()
        rest = [line for line in process.stdout if line.endswith("\n")]
        told.update({int(line.split()[0]): line.split()[1] for line in rest})
    return told


def _escalations_agree_with_the_records(path: Path) -> None:
    journal = Journal.open(path, "boot-2", 0)
    waiting = {escalation.inspection for escalation in journal.open_escalations()}
    journal.close()
    with Archive.open(path) as archive:
        records = [json.loads(row.body) for row in archive.rows(0, 1 << 30, 1 << 40)]
    asked = {r["id"] for r in records if r["schema"] == "inspection/1" and r["asked"]}
    answered = {r["inspection"] for r in records if r["schema"] == "disposition/1"}
    assert waiting == asked - answered
    assert waiting
