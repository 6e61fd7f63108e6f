"""Targets, posts and a theme's evidence on both databases: the same words whichever keeps the rows."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.newsroom.contributions import (
    accept,
    add_contributor,
    contributions,
    on_the_air,
    send_in,
)
from broadcaster.report.evidence import write_evidence
from broadcaster.report.figures import Choice
from broadcaster.report.papers import report_of
from broadcaster.report.period import parse_period
from broadcaster.report.targets import Amount
from broadcaster.store.blobs import Blobs
from broadcaster.store.db import Database
from broadcaster.store.tables import Bulletin, SocialPost, Topic, TopicTarget
from tests.support.commune import Commune, at, found, furnish
from tests.support.years import fill_years

OCTOBER = parse_period("2026-10")


def october(session: Session) -> tuple[Commune, Topic]:
    """A month of broadcasting, a target for one of its topics, and a post late on its last day."""
    commune = found(session, villages=3)
    furnish(session, commune)
    fill_years(session, commune, OCTOBER.first, 31, seed=4)
    topic = session.scalars(select(Topic).where(Topic.slug == "chu-de-1")).one()
    session.add(
        TopicTarget(
            station_id=commune.station.id, topic_id=topic.id, first_day=date(2026, 7, 1),
            last_day=date(2026, 12, 31), broadcasts=100, minutes=100,
        )
    )  # fmt: skip
    bulletin = session.scalars(select(Bulletin).where(Bulletin.topic_id == topic.id).limit(1)).one()
    for moment in (at("23:30", date(2026, 10, 31)), at("00:10", date(2026, 11, 1))):
        session.add(
            SocialPost(
                station_id=commune.station.id, bulletin_id=bulletin.id, revision_id=bulletin.revisions[0].id,
                network="zalo", text="", state="posted", at=moment, actor_id=commune.author.id,
            )
        )  # fmt: skip
    session.flush()
    return commune, topic


def test_a_target_that_is_longer_than_the_period_counts_its_own_days_and_posts_those_of_the_station(
    db: Database,
) -> None:
    with db.writing() as session:
        commune, topic = october(session)
        shown = report_of(session, commune.station, OCTOBER, now=at("12:00"))
        half = report_of(session, commune.station, parse_period("2026-10-20..2026-10-31"), now=at("12:00"))
    (whole,), (later,) = shown.targets, half.targets
    line = next(one for one in shown.by_topic if one.key == str(topic.id))
    assert whole.reached.broadcasts == line.tally.pieces_played > 10
    assert whole.reached.minutes == line.tally.pieces_played, "takes of a minute each"
    assert later.reached == whole.reached, "what was reached before the period counts too"
    assert half.reached_here(later) < shown.reached_here(whole) == line.tally.pieces_played
    assert whole.behind == Amount(
        max(0, 100 * 123 // 184 - whole.reached.broadcasts), max(0, 100 * 123 // 184 - whole.reached.minutes), 0
    )  # fmt: skip
    assert [post.day for post in shown.posts] == [date(2026, 10, 31)], "by the station's own midnight"


def test_the_evidence_has_a_line_for_every_counted_pair_and_every_line_of_a_log_behind_it(
    db: Database, tmp_path: Path
) -> None:
    with db.writing() as session:
        commune, topic = october(session)
        shown = report_of(session, commune.station, OCTOBER, now=at("12:00"), choice=Choice(topic=topic.id))
        out = io.BytesIO()
        write_evidence(session, commune.station, shown, blobs=Blobs(tmp_path / "blobs"), out=out)
    pack = zipfile.ZipFile(out)
    table = list(csv.DictReader(io.StringIO(pack.read("luot-tin-bai.csv").decode("utf-8-sig"))))
    assert len(table) == shown.total.pieces_played > 10
    assert {line["chu_de"] for line in table} == {topic.title}
    airings = {line["buoi"] for line in table}
    log = list(csv.DictReader(io.StringIO(pack.read("nhat-ky-may.csv").decode("utf-8-sig"))))
    assert {line["buoi"] for line in log} == airings
    assert sum(line["su_kien"] == "finished" for line in log) == sum(
        int(line["thon_may_phat_du"]) for line in table
    )
    assert {line["tep_van_ban"] for line in table} <= set(pack.namelist())


def test_what_became_of_a_unit_s_draft_is_when_it_aired_or_will(db: Database) -> None:
    with db.writing() as session:
        commune, _topic = october(session)
        unit = add_contributor(
            session, station_id=commune.station.id, name="Trạm Y tế", contact="", actor=commune.author, now=at("12:00")
        )  # fmt: skip
        row = send_in(
            session, unit, user=commune.author, title="Tiêm chủng", text="Nội dung.", max_chars=100, now=at("12:00")
        )  # fmt: skip
        draft = accept(session, row.id, topic_id=None, actor=commune.author, max_chars=100, now=at("12:00"))
        (mine,) = contributions(session, user_id=commune.author.id)
        assert mine.bulletin_id == draft.id
        assert on_the_air(session, [mine]) == {}
        aired = session.scalars(select(Bulletin).order_by(Bulletin.id).limit(1)).one()
        mine.bulletin_id = aired.id
        session.flush()
        moment, done = on_the_air(session, [mine])[aired.id]
        assert done
        assert moment.date() <= date(2026, 10, 31)
