"""The page of one inspection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.web.parts import picture
from tests.edge.web.plant import Plant, busy, page, plant_in, words


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with plant_in(tmp_path) as found:
        yield found


def test_one_inspection_in_full_and_in_words(plant: Plant) -> None:
    part = busy(plant)
    said = words(page(plant.lena, f"/history/{part.id}"))
    for told in (
        "P-1",
        "because the score lies between the cuts",
        "The part was rejected by a person",
        "at the rim",
        "Bert Brecht",
        "corrected:",
        "record 7 of its chain",
        "Every member of the record",
    ):
        assert told in said
    assert f"/api/v1/looks/{part.id}" in page(plant.lena, f"/history/{part.id}")
    assert "Ada Lovelace" not in page(plant.otto, f"/history/{part.id}")


def test_what_is_hidden_is_on_no_page(plant: Plant) -> None:
    busy(plant)
    drawn = next(
        one["inspection"] for one in plant.otto.get("/api/v1/inspections?part=P-3").json["items"]
    )
    for who in (plant.otto, plant.lena):
        text = page(who, f"/history/{drawn}")
        said = words(text)
        assert "Nothing is shown that could lead the answer" in said
        assert "scratch" not in said
        assert "0.5" not in said
        assert "looks/" not in text


def test_only_ones_own_answer_is_corrected_but_by_leads(plant: Plant) -> None:
    part = plant.line.part("P-1")
    plant.asks(part)
    assert 'id="correction"' not in page(plant.lena, f"/history/{part.id}")
    plant.answers(plant.lena, part, "reject")
    plant.decided(part)
    assert 'id="correction"' in page(plant.lena, f"/history/{part.id}")
    assert 'id="correction"' in page(plant.enno, f"/history/{part.id}")
    assert 'id="correction"' not in page(plant.otto, f"/history/{part.id}")


def test_a_picture_that_is_gone_is_said_to_be_gone(plant: Plant) -> None:
    part = plant.line.part("P-1", picture())
    plant.asks(part)
    (plant.station.config.state_dir / str(part.image.path if part.image else "")).unlink()
    assert "not kept any more" in words(page(plant.otto, f"/history/{part.id}"))


def test_an_unknown_inspection_is_a_page_too(plant: Plant) -> None:
    text = page(plant.otto, "/history/none", 404)
    assert "<html" in text
