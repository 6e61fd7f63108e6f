"""The shapes of a period's report.  Planned, players and villages are fields of their own, never merged."""

from __future__ import annotations

from dataclasses import fields as fields_of

from apiflask import Schema, fields, validators

from broadcaster.model import AiringOrigin, Priority
from broadcaster.report.ledger import Player, Said
from broadcaster.report.tallies import Tally
from web.api.schemas import MOST_ROWS, SLUG, PlainNumber

_DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
PERIOD = rf"^([0-9]{{4}}(-(0[1-9]|1[0-2])|-Q[1-4]|-W(0[1-9]|[1-4][0-9]|5[0-3]))?|{_DAY}\.\.{_DAY})$"


class ReportQuery(Schema):
    """Which period, and what part of it."""

    period = fields.String(
        validate=[validators.Length(4, 22), validators.Regexp(PERIOD)],
        metadata={
            "description": "2026-11 (tháng), 2026-Q4, 2026, 2026-W48, 2026-11-01..2026-11-15; mặc định: tháng này"
        },
    )
    topic = fields.String(validate=SLUG, metadata={"description": "slug của chủ đề"})
    village = fields.String(validate=SLUG, metadata={"description": "slug của thôn"})


class ReportRowsQuery(ReportQuery):
    """Which of the rows behind the figures."""

    start = PlainNumber(load_default=0, validate=validators.Range(0, 10_000_000))
    limit = PlainNumber(load_default=50, validate=validators.Range(1, MOST_ROWS))


# One field for each whole number of a line; `…_ms` are milliseconds on the air.
TallyOut = Schema.from_dict(
    {one.name: fields.Integer(required=True) for one in fields_of(Tally)}, name="TallyOut"
)


class ReportLine(Schema):
    """One line of a table; `key` is a slug, a slot's name, a month or a person's number."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    tally = fields.Nested(TallyOut, required=True)


class MissOut(Schema):
    """A reason why something was not heard; `side` = planned (the station), player, village."""

    side = fields.String(required=True, validate=validators.OneOf(["planned", "player", "village"]))
    what = fields.String(required=True)
    reason = fields.String(required=True)
    count = fields.Integer(required=True)


class ActivityOut(Schema):
    """What was done beside the loudspeakers."""

    day = fields.Date(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)
    place = fields.String(required=True)
    quantity = fields.Integer(required=True)
    people = fields.Integer(required=True, allow_none=True)
    files = fields.List(fields.String(), required=True, metadata={"description": "SHA-256"})


class AmountOut(Schema):
    """Broadcasts (lượt tin bài), minutes on the air, different bulletins."""

    broadcasts = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    bulletins = fields.Integer(required=True)


class TargetOut(Schema):
    """A topic against its target; `behind` = what an even pace would have reached by `until` and was not."""

    topic = fields.String(required=True)
    label = fields.String(required=True)
    first_day = fields.Date(required=True, data_key="from")
    last_day = fields.Date(required=True, data_key="to")
    until = fields.Date(required=True)
    wanted = fields.Nested(AmountOut, required=True)
    reached = fields.Nested(AmountOut, required=True)
    behind = fields.Nested(AmountOut, required=True)


class PostOut(Schema):
    """A bulletin on one of the commune's pages."""

    day = fields.Date(required=True)
    network = fields.String(required=True)
    bulletin = fields.Integer(required=True)
    title = fields.String(required=True)
    by_hand = fields.Boolean(required=True)
    url = fields.String(required=True)


class ReportOut(Schema):
    """A period as it stands at `as_of`: the figures of the report's page, .docx and .xlsx."""

    period = fields.String(required=True)
    label = fields.String(required=True)
    first = fields.Date(required=True, data_key="from")
    last = fields.Date(required=True, data_key="to")
    as_of = fields.AwareDateTime(required=True)
    to_come = fields.Integer(required=True)
    drills = fields.Integer(required=True)
    skipped = fields.Integer(required=True)
    total = fields.Nested(TallyOut, required=True)
    by_topic = fields.List(fields.Nested(ReportLine), required=True)
    by_village = fields.List(fields.Nested(ReportLine), required=True)
    by_slot = fields.List(fields.Nested(ReportLine), required=True)
    by_author = fields.List(fields.Nested(ReportLine), required=True)
    by_month = fields.List(fields.Nested(ReportLine), required=True)
    misses = fields.List(fields.Nested(MissOut), required=True)
    activities = fields.List(fields.Nested(ActivityOut), required=True)
    targets = fields.List(fields.Nested(TargetOut), required=True)
    posts = fields.List(fields.Nested(PostOut), required=True)


class ReportRow(Schema):
    """One airing in one village: what the plan, the players and the village say."""

    airing = fields.String(required=True)
    village = fields.String(required=True)
    local_date = fields.Date(required=True)
    start_local = fields.String(required=True)
    slot = fields.String(required=True)
    origin = fields.String(required=True, validate=validators.OneOf([one.value for one in AiringOrigin]))
    priority = fields.String(required=True, validate=validators.OneOf([one.value for one in Priority]))
    planned = fields.Boolean(required=True)
    player = fields.String(required=True, validate=validators.OneOf([one.name.lower() for one in Player]))
    why = fields.String(required=True)
    receivers = fields.Integer(required=True)
    receivers_played = fields.Integer(required=True)
    said = fields.String(required=True, validate=validators.OneOf([one.name.lower() for one in Said]))
    said_reason = fields.String(required=True)
    bulletins = fields.List(fields.Integer(), required=True)
    sha256 = fields.String(required=True)


class ReportRowsOut(Schema):
    """Some of the rows in order of time; `found` = how many there are in all."""

    found = fields.Integer(required=True)
    rows = fields.List(fields.Nested(ReportRow), required=True)
    next_start = fields.Integer(required=True, allow_none=True)
