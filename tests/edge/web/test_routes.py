"""What the table of routes lets whom do: short lists that nobody makes longer by mistake."""

from __future__ import annotations

from edge.web.routes import ROUTES

RULES = {f"{rule.method} {rule.path}": rule for rule in ROUTES}


def test_what_anybody_may_ask_is_a_short_list() -> None:
    assert {name for name, rule in RULES.items() if rule.needs == "anyone"} == {
        "GET /",
        "GET /sign-in",
        "POST /sign-in",
        "GET /first",
        "POST /first",
        "GET /static/{name}",
        "GET /api/v1/health",
    }


def test_what_a_locked_session_may_ask_is_a_short_list() -> None:
    assert {name for name, rule in RULES.items() if rule.needs == "known"} == {
        "GET /locked",
        "POST /unlock",
        "POST /lock",
        "POST /sign-out",
        "GET /events",
        "GET /api/v1/queue",
    }


def test_what_machines_may_ask_needs_no_more_than_they_can_be_given() -> None:
    needs = {rule.needs for rule in ROUTES if rule.machines}
    assert needs <= {"anyone", "known", "answer", "look"}


def test_what_changes_persons_degrees_and_tokens_asks_for_the_pin_again() -> None:
    for rule in RULES.values():
        if rule.safe:
            continue
        assert rule.fresh == (rule.needs in ("people", "degree", "tokens"))


def test_what_one_may_do_with_such_a_pin_is_a_short_list() -> None:
    own = {name for name, rule in RULES.items() if rule.own and rule.needs != "known"}
    assert own == {
        "GET /settings",
        "POST /settings/language",
        "POST /settings/pin",
        "POST /confirm",
    }
