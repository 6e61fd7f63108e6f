"""The interface does what its document says: every operation, every check, with and without a token."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation.modes import GenerationMode

from broadcaster.delivery.receivers import issue_token as issue_receiver_token
from broadcaster.delivery.tokens import SCOPES, issue_token
from broadcaster.store.tables import Receiver, User
from tests.support.web_station import NOW

# More of them by hand: API_EXAMPLES=300 python -m pytest tests/web/test_web_api_document.py
BOUNDED = settings(
    max_examples=int(os.environ.get("API_EXAMPLES", "6")), deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def secret_of(world: Any, username: str = "quantri", scopes: Any = tuple(SCOPES)) -> str:
    """A token of that person."""
    with world.db.writing(station_id=world.made.station) as session:
        owner = session.get_one(User, world.made.users[username])
        return issue_token(
            session, owner=owner, name="Cổng thông tin", scopes=scopes,
            expires_on=NOW.date() + timedelta(days=90), now=NOW,
        )[1]  # fmt: skip


def receiver_secret(world: Any) -> str:
    """A player's token."""
    with world.db.writing(station_id=world.made.station) as session:
        return issue_receiver_token(session.get_one(Receiver, world.made.receiver))


@pytest.fixture
def api(world: Any) -> Iterator[Any]:
    """The document, loaded from the running app, signed in as a program and as a player."""
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", world.app)
    secrets = {"token": secret_of(world), "receiver": receiver_secret(world)}

    @schema.auth()
    class Token:
        def get(self, case: Any, _context: Any) -> str:
            security = case.operation.definition.raw.get("security") or [{}]
            return secrets.get(next(iter(security[0]), ""), "")

        def set(self, case: Any, data: str, _context: Any) -> None:
            if data:
                case.headers["Authorization"] = f"Bearer {data}"

    return schema


def test_every_operation_answers_as_its_document_says(api: Any, subtests: pytest.Subtests) -> None:
    seen = 0
    for found in api.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            with subtests.test(operation.label, mode=mode.value):
                _try(operation, mode)
        seen += 1
    assert seen >= 18


def _try(operation: Any, mode: GenerationMode) -> None:
    @BOUNDED
    @given(operation.as_strategy(generation_mode=mode))
    def answers(case: Any) -> None:
        case.call_and_validate()

    try:
        answers()
    except SkipTest:  # nothing of this operation can be made wrong
        assert mode is GenerationMode.NEGATIVE


def test_drafts_sent_in_can_be_read_again_through_the_documents_links(api: Any) -> None:
    api.as_state_machine().run(
        settings=settings(BOUNDED, max_examples=max(BOUNDED.max_examples, 8), stateful_step_count=6)
    )


def test_the_documents_paths_are_exactly_the_routes(world: Any) -> None:
    paths = world.browser().get("/api/openapi.json").json["paths"]
    told = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    routes = set()
    for rule in world.app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1"):
            path = re.sub(r"<(?:[^<>]*:)?([^<>:]+)>", r"{\1}", rule.rule)
            routes |= {(path, method) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert told == routes
    assert len(told) >= 18
