"""The service dies and comes back: the page goes on by itself, and nothing is lost."""

import pytest

DOWN = ("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE_CHUNKED", "ERR_NETWORK")
CLAIM_GONE = "status of 409"
"""Who had which part is not kept over a restart: the page claims it anew."""


@pytest.fixture(scope="module")
def plant(usual_plant):
    return usual_plant


def test_the_page_waits_for_the_service_and_goes_on_with_the_same_session(tablet, plant):
    one = tablet("otto")
    before, first = len(plant.queue()), one.ready()
    with one.bearing(*DOWN, CLAIM_GONE):
        plant.kill("web")
        one.test("banner-offline").wait_for(state="visible")
        plant.start("web")
        one.test("banner-offline").wait_for(state="hidden")
        assert one.ready() == first
        one.test("reject").tap()
        second = one.next_part(first)
        one.test("reject").tap()
        one.next_part(second)
    assert [verdict["inspection"] for verdict in plant.queue()[before:]] == [first, second]


def test_an_answer_that_was_given_meanwhile_is_sent_again_and_recorded_once(tablet, plant):
    one = tablet("ida")
    before, shown = len(plant.queue()), one.ready()
    with one.bearing(*DOWN, CLAIM_GONE):
        plant.kill("web")
        one.test("reject").tap()
        one.wait_text("message", "sent again")
        plant.start("web")
        one.next_part(shown)
    assert [verdict["inspection"] for verdict in plant.queue()[before:]] == [shown]


def test_an_answer_whose_receipt_was_lost_is_not_recorded_twice(tablet, plant):
    """The station has it on its disk and dies before it can say so."""
    one = tablet("max")
    before, shown = len(plant.queue()), one.ready()

    def die(route):
        route.fetch()
        plant.kill("web")
        route.abort("connectionreset")

    with one.bearing(*DOWN, CLAIM_GONE):
        one.page.route("**/api/v1/verdicts", die, times=1)
        one.test("reject").tap()
        one.wait_text("message", "noch einmal gesendet")
        plant.start("web")
        one.next_part(shown)
    assert [verdict["inspection"] for verdict in plant.queue()[before:]] == [shown]
