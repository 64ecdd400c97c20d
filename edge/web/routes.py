"""The one table of what can be asked for, and who may. What is not in it is refused."""

from __future__ import annotations

from edge.web.api import (
    camera,
    degree,
    figures,
    health,
    inspections,
    looks,
    pictures,
    queue,
    stream,
)
from edge.web.pages import camera as camera_page
from edge.web.pages import first, people, settings, sign_in, static
from edge.web.pages import history as history_page
from edge.web.pages import line as line_page
from edge.web.pages import queue as queue_page
from edge.web.rule import Rule

ROUTES: tuple[Rule, ...] = (
    *queue_page.RULES,
    *line_page.RULES,
    *camera_page.RULES,
    *history_page.RULES,
    *sign_in.RULES,
    *first.RULES,
    *settings.RULES,
    *people.RULES,
    *static.RULES,
    *health.RULES,
    *stream.RULES,
    *queue.RULES,
    *inspections.RULES,
    *pictures.RULES,
    *looks.RULES,
    *figures.RULES,
    *camera.RULES,
    *degree.RULES,
)
