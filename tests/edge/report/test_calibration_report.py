"""The report says what the evidence says, survives any text in it, and needs no network."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.decision.calibration import Targets
from edge.report.calibration_report import page, write
from tests.edge.report.evidence import draw, evidence, samples

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr",
)  # fmt: skip
SCRIPT = "</style><script>alert(1)</script>"


class Words(HTMLParser):
    """The text that a reader sees, and every tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.text = re.sub(r"\s+", " ", " ".join(self.texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.texts.append(data)


def test_what_was_asked_and_answered() -> None:
    found = evidence(samples(), prevalence=0.02, rate_per_hour=1200.0, tries=2, by="q-17")
    assert found.result is not None
    text = Words(page(found)).text
    assert "Certified" in text
    assert "With 95 % confidence both hold together: of all defective parts at most 0.901 %" in text
    assert repr(found.result.accept_below) in text
    assert repr(found.result.reject_above) in text
    assert "1,200 parts/h" in text
    assert "tried on these pictures 2 times before" in text
    assert "another picture of a part that counts" in text
    assert "escapes: accepted defects per million parts inspected" in text
    assert "slip: defects per million parts accepted" in text
    for row in found.result.types:
        assert f"{row.type} {row.n} {row.accepted}" in text
    assert "I have read the conditions" in text
    assert "plant-a/line-3/caps" in text


def test_the_bound_is_rounded_upwards() -> None:
    found = evidence(samples())
    assert found.result is not None
    bound = 100 * found.result.escape.upper_bound
    shown = re.search(r"at most ([\d.]+)\s%\sare accepted", page(found))
    assert shown is not None
    assert bound <= float(shown[1]) <= bound + 0.001


def test_data_that_do_not_suffice() -> None:
    more = {"rate_per_hour": 100.0, "prevalence": 0.01, "only_needed": {"accept": 229}}
    text = Words(page(evidence(samples(1000, 60), **more))).text
    assert "These data do not suffice" in text
    assert "escape rate of 5.97 %" in text
    assert "308 more defects are needed: about 12.8 days of production at 100 parts/h" in text
    assert "--only accept) the defects need 229 more" in text
    assert "There are no cuts" in text
    assert "I have read the conditions" not in text


def test_one_cut_alone_claims_nothing_about_the_other() -> None:
    text = Words(page(evidence(samples(), Targets(only="accept")))).text
    assert "The model rejects nothing by itself" in text
    assert "nothing is rejected" in text
    assert "hold together:" not in text


def test_what_is_not_certified_says_why() -> None:
    found = evidence(samples(), certified=False, uncertified_because=("nobody said so",))
    text = Words(page(found)).text
    assert "Not certified" in text
    assert "nobody said so" in text


def test_no_text_can_become_markup(tmp_path: Path) -> None:
    names = "station", "source_name", "model_name", "reason", "by", "bundle", "runtime", "view"
    more = {name: SCRIPT for name in names}
    found = evidence(samples(folder=tmp_path), **more, conditions=(SCRIPT,), id=SCRIPT)
    odd = [tmp_path / f"<script>{row}\udcff.png" for row in range(1600)]
    found = replace(found, samples=replace(found.samples, pictures=odd, types=(SCRIPT, "b")))
    made = Words(page(found))
    assert "script" not in made.tags
    assert made.tags.count("style") == 1
    write(tmp_path / "report.html", found)


def test_pictures_are_embedded_small_and_a_missing_one_is_said(tmp_path: Path) -> None:
    found = samples(folder=tmp_path)
    draw(found, sorted(range(800), key=lambda row: -found.scores[row])[:8])
    text = page(evidence(found))
    assert text.count("data:image/jpeg;base64,") == 8
    assert text.count("the picture cannot be read") == 8
    assert len(text) < 200_000


@pytest.mark.parametrize("targets", [Targets(), Targets(only="accept"), Targets(only="reject")])
@pytest.mark.parametrize(("good", "defect"), [(800, 800), (0, 400), (400, 0), (0, 0), (1, 1)])
def test_any_number_of_parts_gives_a_page(good: int, defect: int, targets: Targets) -> None:
    for more in ({}, {"prevalence": 0.1, "rate_per_hour": 60.0}):
        assert "Calibration report" in page(evidence(samples(good, defect), targets, **more))


def test_it_asks_nothing_of_any_host() -> None:
    text = page(evidence(samples()))
    assert not re.search(r"https?://|//\w|@import|url\(", text)
    assert "default-src 'none'" in text
    assert not {"script", "link", "iframe", "object", "form"} & set(Words(text).tags)


def browser(path: Path, folder: Path, *more: str) -> tuple[str, str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *more, path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, done.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
def test_a_real_browser_shows_it_without_a_complaint(tmp_path: Path) -> None:
    """The page forbids every request by itself, so that an attempt would be a console error."""
    found = samples(folder=tmp_path)
    draw(found, sorted(range(800), key=lambda row: -found.scores[row])[:8])
    write(tmp_path / "report.html", evidence(found, prevalence=0.02, rate_per_hour=1200.0))
    pdf = tmp_path / "report.pdf"
    _, said = browser(tmp_path / "report.html", tmp_path, f"--print-to-pdf={pdf}")
    assert "CONSOLE" not in said
    pages = re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())
    assert 4 <= len(pages) <= 6
    wrong = (
        (tmp_path / "report.html")
        .read_text()
        .replace("<main>", '<main><img src="http://127.0.0.1:9/x.png">')
    )
    (tmp_path / "wrong.html").write_text(wrong)
    shown, said = browser(tmp_path / "wrong.html", tmp_path, "--dump-dom")
    assert "Calibration report" in shown
    assert "CONSOLE" in said
