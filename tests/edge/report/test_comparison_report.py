"""The comparison of two models as one file that a person can print."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np

from edge.report.comparison_report import MOST, page, verdict, write
from edge.report.interval_chart import Row, interval_chart
from edge.rollout.comparing import Compared, Named
from edge.rollout.comparison import Part, compare
from edge.rollout.pair import Answer

FIRST = Named("rings", "1.0.0", "ab" * 32, "calibration 0191")
SECOND = Named("<script>alert(1)</script>", "1.1.0", "cd" * 32)
NO = Answer(0.9, "dent", "reject", None, 4.0)
YES = Answer(0.1, "good", "accept", None, 5.0)


def found(parts: list[Part], broken: str | None = None) -> Compared:
    return Compared(FIRST, SECOND, "parts of a/b/c", parts, compare(parts), len(parts), broken)


def parts(folder: Path, defect: bool | None = True) -> list[Part]:
    picture = folder / "p.png"
    cv2.imwrite(str(picture), np.full((40, 60, 3), 90, np.uint8))
    torn = folder / "torn.png"
    torn.write_bytes(b"no picture")
    return [
        Part("seen", NO, YES, defect, picture),
        Part("torn", NO, YES, defect, torn),
        Part("gone", NO, YES, None, folder / "gone.png"),
        *(Part(f"same {number}", YES, YES, False) for number in range(30)),
    ]


class Reader(HTMLParser):
    """What a browser would fetch or run, and whether all tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href") and not (value or "").startswith("data:"):
                self.outside.append(f"{tag} {value}")


def test_it_is_complete_in_itself_and_nothing_in_it_runs(tmp_path: Path) -> None:
    write(tmp_path / "r.html", found(parts(tmp_path)))
    reader = Reader()
    reader.feed((tmp_path / "r.html").read_text())
    assert reader.outside == []
    assert "script" not in reader.tags
    assert reader.tags.count("img") == 1


def test_pictures_that_cannot_be_shown_are_said_in_their_place(tmp_path: Path) -> None:
    text = page(found(parts(tmp_path)))
    assert "the picture cannot be decoded" in text
    assert "the picture cannot be read" in text
    assert "defect: the second is wrong" in text


def test_the_verdict_says_what_is_not_known(tmp_path: Path) -> None:
    unknown = found([replace(part, defect=None) for part in parts(tmp_path)])
    assert "nobody has said" in " ".join(verdict(unknown)[1])
    known = found(parts(tmp_path) * 5)
    assert "the first is wrong less often" in " ".join(verdict(known)[1])
    none = found([Part("a", replace(NO, would_be=None), YES)])
    assert "no part both had cuts" in " ".join(verdict(none)[1])
    assert "What each decides" not in page(none)
    word, said = verdict(found(parts(tmp_path), "late: it was late"))
    assert word == "The second has to go"
    assert said[0] == "late: it was late."


def test_only_so_many_parts_are_shown(tmp_path: Path) -> None:
    many = [Part(f"n{number}", NO, YES) for number in range(MOST + 7)]
    text = page(found(many))
    assert text.count("<figure>") == MOST
    assert "7 more are in --json" in text


def test_a_chart_has_a_scale_that_holds_every_interval() -> None:
    chart = interval_chart([Row("a", 0.0, -0.0013, 0.004), Row("b", None, 0, 0)], "more")
    assert "+0.5 %" in chart
    assert "nothing to compare" in chart
    assert interval_chart([], "nothing").startswith("<svg")
