"""The interface for other programs: who is let in, what is told, and what a draft from outside may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from broadcaster.delivery.tokens import SCOPES, issue_token, revoke_token
from broadcaster.errors import InputError
from broadcaster.model import BulletinState
from broadcaster.newsroom.people import disable
from broadcaster.store.tables import ApiToken, Audit, Bulletin, User
from tests.support.web_station import NOW, TODAY, at


def issued(world: Any, username: str = "quantri", scopes: Any = tuple(SCOPES), days: int = 90) -> str:
    with world.db.writing(station_id=world.made.station) as session:
        owner = session.get_one(User, world.made.users[username])
        return issue_token(
            session, owner=owner, name="Cổng xã", scopes=scopes, expires_on=TODAY + timedelta(days=days), now=NOW
        )[1]  # fmt: skip


class Program:
    """Another program with a token."""

    def __init__(self, world: Any, secret: str) -> None:
        self.client: FlaskClient = world.app.test_client()
        self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self.headers)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1{path}", json=body, headers=self.headers)


@pytest.fixture
def program(world: Any) -> Program:
    return Program(world, issued(world))


DRAFT = {"title": "Lịch thu gom rác", "text": "Kính thưa bà con. Thứ Bảy xã thu gom rác.", "topic": "an-toan"}


def test_a_token_opens_only_what_its_scopes_say(world: Any) -> None:
    reader = Program(world, issued(world, scopes=("plan.read",)))
    assert reader.get("/station").json["name"] == "Xã Đồng Lớn"
    for path in ("/bulletins", "/receivers", "/as-run", "/reports", "/reports/rows"):
        answer = reader.get(path)
        assert answer.status_code == 403
        assert "không có quyền" in answer.json["message"]
    assert reader.post("/bulletins", DRAFT).status_code == 403


def test_a_token_never_reaches_beyond_its_owners_rights(world: Any) -> None:
    technician = Program(world, issued(world, "kythuat"))
    assert technician.get("/receivers").status_code == 200
    assert technician.post("/bulletins", DRAFT).status_code == 403
    assert technician.get("/reports").status_code == 403


def test_without_a_token_with_a_wrong_one_and_with_a_revoked_one_nothing_opens(world: Any) -> None:
    secret = issued(world)
    for wrong in ({}, {"Authorization": "Bearer bcr_sai"}, {"Authorization": f"Basic {secret}"},
                  {"Authorization": "Bearer \udcff"}):  # fmt: skip
        answer = world.app.test_client().get("/api/v1/station", headers=wrong)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    with world.db.writing() as session:
        token = session.scalars(select(ApiToken)).one()
        revoke_token(session, token.id, actor=token.owner, now=NOW)
    assert Program(world, secret).get("/station").status_code == 401


def test_a_token_ends_with_its_last_day_and_with_its_owners_account(world: Any) -> None:
    program = Program(world, issued(world, days=1))
    world.clock.now = at("23:59", TODAY + timedelta(days=1))
    assert program.get("/station").status_code == 200
    world.clock.now = at("00:00", TODAY + timedelta(days=2))
    assert program.get("/station").status_code == 401
    world.clock.now = NOW
    other = Program(world, issued(world, "canbo"))
    with world.db.writing() as session:
        disable(session, username="canbo", now=NOW)
    assert other.get("/station").status_code == 401


def test_a_token_is_stored_hashed_and_its_use_is_noted_once_an_hour(world: Any) -> None:
    secret = issued(world)
    program = Program(world, secret)

    def row() -> ApiToken:
        with world.db.reading() as session:
            return session.scalars(select(ApiToken)).one()

    assert secret not in str(row().__dict__)
    program.get("/station")
    assert row().last_used_at == NOW
    world.clock.now = NOW + timedelta(minutes=30)
    program.get("/station")
    assert row().last_used_at == NOW
    world.clock.now = NOW + timedelta(minutes=61)
    program.get("/station")
    assert row().last_used_at == NOW + timedelta(minutes=61)


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ("plan.read",), 9), ("x" * 121, ("plan.read",), 9), ("Cổng", (), 9), ("Cổng", ("approve",), 9),
     ("Cổng", ("plan.read",), -1), ("Cổng", ("plan.read",), 800)],
)  # fmt: skip
def test_a_token_without_name_scope_or_a_near_end_is_not_made(
    world: Any, name: str, scopes: Any, days: int
) -> None:
    with (
        world.db.writing(station_id=world.made.station) as session,
        pytest.raises(InputError, match="Hãy|phải"),
    ):
        issue_token(
            session, owner=session.get_one(User, world.made.users["quantri"]), name=name, scopes=scopes,
            expires_on=TODAY + timedelta(days=days), now=NOW,
        )  # fmt: skip


def test_a_draft_from_outside_is_a_draft_and_nothing_more(world: Any, program: Program) -> None:
    answer = program.post("/bulletins", DRAFT)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/bulletins/{answer.json['id']}"
    assert (answer.json["state"], answer.json["topic"], answer.json["author"]) == (
        "draft", "an-toan", "Phạm Thu Hà",
    )  # fmt: skip
    read = program.get(f"/bulletins/{answer.json['id']}").json
    assert read["text"] == DRAFT["text"]
    assert read["spoken"] == ["Kính thưa bà con.", "Thứ bảy xã thu gom rác."] or len(read["spoken"]) == 2
    assert read["approved"] is None
    with world.db.reading() as session:
        row = session.get_one(Bulletin, answer.json["id"])
        assert (row.state, row.source_name) == (BulletinState.DRAFT, "giao diện lập trình")
        assert (
            session.scalars(select(Audit).where(Audit.subject == f"bản tin {row.id}")).one().actor
            == "quantri"
        )


@pytest.mark.parametrize(
    "wrong",
    [{}, {"title": "Tin"}, DRAFT | {"title": "  "}, DRAFT | {"priority": "emergency"}, DRAFT | {"text": 5},
     DRAFT | {"approve": True}, DRAFT | {"read_twice": "yes"}],
)  # fmt: skip
def test_a_draft_of_another_shape_is_refused_with_the_fields_named(program: Program, wrong: Any) -> None:
    answer = program.post("/bulletins", wrong)
    assert answer.status_code == 422
    assert "không đúng mẫu: json." in answer.json["message"]


def test_a_draft_on_a_topic_that_is_not_there_is_refused(program: Program) -> None:
    answer = program.post("/bulletins", DRAFT | {"topic": "khong-co"})
    assert answer.status_code == 404
    assert "/api/v1/topics" in answer.json["message"]


def test_bulletins_come_in_pages_that_meet_without_gap_or_overlap(world: Any, program: Program) -> None:
    seen, after = [], 0
    while True:
        page = program.get("/bulletins", limit=2, after=after).json
        seen += [row["id"] for row in page["bulletins"]]
        if page["next_after"] is None:
            break
        after = page["next_after"]
    with world.db.reading(station_id=world.made.station) as session:
        assert seen == list(session.scalars(select(Bulletin.id).order_by(Bulletin.id)))
    approved = program.get("/bulletins", state="approved").json["bulletins"]
    assert [row["id"] for row in approved] == [world.made.approved]
    told = program.get(f"/bulletins/{world.made.approved}").json["approved"]
    assert told["take_sha256"] == world.made.sound


def test_the_plan_the_receivers_and_the_log_say_what_the_pages_say(world: Any, program: Program) -> None:
    airings = program.get("/airings", **{"from": "2026-11-24"}).json["airings"]
    assert [(one["id"], one["start_local"]) for one in airings] == [
        (world.made.morning, "05:30"), (world.made.evening, "17:00"),
    ]  # fmt: skip
    assert airings[0]["planned_at"] == "2026-11-23T22:30:00+00:00"
    assert {file["kind"] for file in airings[0]["files"]} == {"air", "light"}
    assert program.get(f"/airings/{world.made.morning}").json == airings[0]
    assert len(program.get("/airings", village="thon-1").json["airings"]) == 2
    assert program.get("/airings", village="khong-co").status_code == 404
    (receiver,) = program.get("/receivers").json["receivers"]
    assert receiver["name"] == "Loa trụ sở xã"
    assert program.get(f"/receivers/{receiver['id']}").json == receiver
    lines = program.get("/as-run", airing=world.made.morning).json["events"]
    assert [line["event"] for line in lines] == ["started", "finished"]
    assert program.get("/as-run", after=lines[0]["id"]).json["events"] == lines[1:]
    told = program.get("/reports", period="2026-11-24..2026-11-24").json
    assert (told["from"], told["to"], told["to_come"]) == ("2026-11-24", "2026-11-24", 1)
    total = told["total"]
    assert (total["airings"], total["airings_played"], total["villages"], total["villages_failed"]) == (
        1,
        1,
        5,
        1,
    )
    (line,) = told["by_topic"]
    assert (line["key"], line["tally"]["pieces_played"]) == ("chuyen-doi-so", 1)
    rows = program.get("/reports/rows", period="2026-11-24..2026-11-24").json["rows"]
    (row,) = [one for one in rows if one["village"] == "thon-3"]
    assert (row["said"], row["said_reason"], row["bulletins"]) == (
        "failed",
        "Mất điện",
        [world.made.approved],
    )


def test_things_of_another_station_do_not_exist_for_a_token(world: Any, program: Program) -> None:
    assert program.get(f"/bulletins/{world.made.other_bulletin}").status_code == 404
    assert world.made.other_bulletin not in [b["id"] for b in program.get("/bulletins").json["bulletins"]]
    assert len(program.get("/villages").json["villages"]) == len(world.made.villages)


def test_what_is_not_there_is_refused_as_json(world: Any) -> None:
    answer = world.app.test_client().get("/api/v1/khong-co")
    assert (answer.status_code, answer.mimetype) == (404, "application/json")
    wrong = world.app.test_client().delete("/api/v1/station")
    assert (wrong.status_code, wrong.mimetype) == (405, "application/json")
    assert "GET" in wrong.headers["Allow"]


def test_a_token_is_made_on_its_page_shown_once_and_taken_away(world: Any) -> None:
    browser = world.browser("quantri")
    browser.get("/ma-truy-cap")
    made = browser.post("/ma-truy-cap", {"name": "Cổng xã", "scope": ["plan.read"], "expires": "31/12/2026"})
    secret = made.text.split('copy mono">')[1].split("<")[0]
    assert Program(world, secret).get("/station").status_code == 200
    listing = browser.get("/ma-truy-cap")
    assert secret not in listing.text
    assert "31/12/2026" in listing.text
    with world.db.reading() as session:
        token_id = session.scalars(select(ApiToken.id)).one()
    assert browser.post(f"/ma-truy-cap/{token_id}/thu-hoi").status_code == 303
    assert Program(world, secret).get("/station").status_code == 401
    refused = browser.post("/ma-truy-cap", {"name": "Cổng hai", "expires": "31/12/2026"})
    assert refused.status_code == 422
    assert 'value="Cổng hai"' in refused.text


def test_the_documents_page_asks_nothing_of_another_machine(world: Any) -> None:
    page = world.browser().get("/api/docs")
    assert page.status_code == 200
    assert "https://" not in page.text.replace("https://loa.example.vn", "")
    assert world.browser().get("/api/docs/swagger-ui-bundle.js").status_code == 200
    assert world.browser().get("/api/docs/index.css").status_code == 404


def test_each_receiver_says_of_an_airing_what_became_of_it_and_why(program: Program) -> None:
    airings = program.get("/airings", days=7).json["airings"]
    told = [program.get(f"/airings/{one['id']}/outcomes").json["outcomes"] for one in airings]
    lines = [line for one in told for line in one]
    assert lines
    assert all(line["why"].endswith(".") and line["outcome"] for line in lines)
    assert program.get("/airings/khong-co/outcomes").status_code == 404
