"""How often calibrations were tried on the same pictures."""

from __future__ import annotations

from pathlib import Path

from edge.calibrating.tries import FILE, note_try, tries_before


def test_each_try_on_the_same_pictures_is_counted(tmp_path: Path) -> None:
    folder = tmp_path / "calibrations"
    assert tries_before(folder, "f1") == 0
    for number in range(3):
        note_try(folder, "f1", f"c{number}", "2026-11-20T12:00:00.000Z")
    note_try(folder, "f2", "c9", "2026-11-20T12:00:00.000Z")
    assert (tries_before(folder, "f1"), tries_before(folder, "f2")) == (3, 1)


def test_a_line_that_was_cut_short_hides_no_other(tmp_path: Path) -> None:
    note_try(tmp_path, "f1", "c1", "x")
    with (tmp_path / FILE).open("ab") as stream:
        stream.write(b'{"pictures": "f\xff\n[]\n')
    note_try(tmp_path, "f1", "c2", "x")
    assert tries_before(tmp_path, "f1") == 2
