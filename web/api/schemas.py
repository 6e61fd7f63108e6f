"""The shapes of the interface.  Output names are English; sentences in them are Vietnamese."""

from __future__ import annotations

from typing import Any

from apiflask import Schema, fields, validators
from marshmallow import ValidationError

from broadcaster.model import (
    AiringOrigin,
    AiringState,
    AsRunEvent,
    BulletinState,
    Outcome,
    Priority,
    RenditionKind,
)

LARGEST_ID = 2**31 - 1
MOST_ROWS = 200
MOST_DAYS = 62
SLUG = [validators.Length(1, 60), validators.Regexp(r"^[a-z0-9][a-z0-9-]*$")]
AIRING_ID = [validators.Length(1, 36), validators.Regexp(r"^[0-9A-Za-z-]+$")]
# What is seen when it is printed: a title of blanks and marks alone would be refused later.
VISIBLE = r"^[!-~À-ɏḀ-ỹ“‘]"


def _values(enum: Any) -> validators.OneOf:
    return validators.OneOf([member.value for member in enum])


class PlainNumber(fields.Integer):
    """An integer as it is written in an address: digits only (Python would take "1_0" and " 1 " too)."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            raise ValidationError("Chỉ viết bằng chữ số.")
        return super()._deserialize(value, attr, data, **kwargs)


class Refusal(Schema):
    """Why the request was refused: a sentence for a person; `detail` names fields that are wrong."""

    message = fields.String(required=True)
    detail = fields.Dict(keys=fields.String())


class Page(Schema):
    """Paging by id: give the last id you have."""

    after = PlainNumber(
        load_default=0,
        validate=validators.Range(0, LARGEST_ID),
        metadata={"description": "id cuối cùng đã nhận"},
    )
    limit = PlainNumber(load_default=50, validate=validators.Range(1, MOST_ROWS))


class StationOut(Schema):
    """The commune and where its channels are."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    call_sign = fields.String(required=True)
    zone = fields.String(required=True)
    phone = fields.String(required=True)


class VillageOut(Schema):
    """A village (thôn, tổ dân phố)."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    valid_from = fields.Date(required=True, allow_none=True)
    valid_to = fields.Date(required=True, allow_none=True)


class VillagesOut(Schema):
    """All villages."""

    villages = fields.List(fields.Nested(VillageOut), required=True)


class TopicOut(Schema):
    """A theme of the station's plan."""

    id = fields.Integer(required=True)
    slug = fields.String(required=True)
    title = fields.String(required=True)


class TopicsOut(Schema):
    """All topics."""

    topics = fields.List(fields.Nested(TopicOut), required=True)


class FeedOut(Schema):
    """A channel that anybody may follow: no token needed for `url`."""

    title = fields.String(required=True)
    kind = fields.String(required=True, validate=validators.OneOf(["rss", "icalendar", "embed"]))
    url = fields.String(required=True)


class FeedsOut(Schema):
    """The public channels."""

    feeds = fields.List(fields.Nested(FeedOut), required=True)


class BulletinQuery(Page):
    """Which bulletins."""

    state = fields.String(validate=_values(BulletinState))


class BulletinIn(Schema):
    """A draft for the newsroom.  A person goes on from there: nothing airs without approval."""

    title = fields.String(required=True, validate=[validators.Length(1, 300), validators.Regexp(VISIBLE)])
    text = fields.String(required=True, validate=validators.Length(1, 50_000))
    topic = fields.String(
        allow_none=True,
        validate=SLUG,
        metadata={"description": "slug của chủ đề (xem /topics)"},
    )
    priority = fields.String(
        load_default="routine",
        validate=validators.OneOf([Priority.ROUTINE.value, Priority.PRIORITY.value]),
    )
    read_twice = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class BulletinLine(Schema):
    """A bulletin in the list."""

    id = fields.Integer(required=True)
    title = fields.String(required=True)
    topic = fields.String(required=True, allow_none=True)
    priority = fields.String(required=True, validate=_values(Priority))
    state = fields.String(required=True, validate=_values(BulletinState))
    version = fields.Integer(required=True)
    author = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    updated_at = fields.AwareDateTime(required=True)


class QuestionOut(Schema):
    """A place whose reading a person must say."""

    written = fields.String(required=True)
    message = fields.String(required=True)


class ApprovedOut(Schema):
    """What may sound: exactly this text, reading and take."""

    revision = fields.Integer(required=True)
    text_sha256 = fields.String(required=True)
    reading_sha256 = fields.String(required=True)
    take_sha256 = fields.String(required=True)
    duration_ms = fields.Integer(required=True)


class BulletinDetail(BulletinLine):
    """A bulletin with its draft, how it will be read, and what of it is approved."""

    text = fields.String(required=True)
    spoken = fields.List(fields.String(), required=True)
    questions = fields.List(fields.Nested(QuestionOut), required=True)
    approved = fields.Nested(ApprovedOut, required=True, allow_none=True)


class BulletinOut(BulletinLine):
    """A bulletin."""


class CreatedAt(Schema):
    """Where the new thing is."""

    location = fields.String(data_key="Location", required=True)


class BulletinsOut(Schema):
    """A page of bulletins, in the order of their ids."""

    bulletins = fields.List(fields.Nested(BulletinLine), required=True)
    next_after = fields.Integer(required=True, allow_none=True)


class Days(Schema):
    """A span of local days."""

    first = fields.Date(data_key="from", metadata={"description": "ngày đầu; mặc định: hôm nay"})
    days = PlainNumber(load_default=1, validate=validators.Range(1, MOST_DAYS))


class PlanQuery(Days):
    """Which lines of the plan."""

    village = fields.String(validate=SLUG, metadata={"description": "slug của thôn"})


class ItemOut(Schema):
    """One bulletin of a running order."""

    bulletin = fields.Integer(required=True)
    title = fields.String(required=True)
    topic = fields.String(required=True)
    sounds = fields.Boolean(required=True)
    note = fields.String(required=True)


class FileOut(Schema):
    """A file to play."""

    kind = fields.String(required=True, validate=_values(RenditionKind))
    url = fields.String(required=True)
    sha256 = fields.String(required=True)
    size_bytes = fields.Integer(required=True)


class AiringLine(Schema):
    """One line of the plan: a variant of an airing."""

    id = fields.String(required=True)
    variant = fields.Integer(required=True)
    origin = fields.String(required=True, validate=_values(AiringOrigin))
    state = fields.String(required=True, validate=_values(AiringState))
    reason = fields.String(required=True)
    priority = fields.String(required=True, validate=_values(Priority))
    name = fields.String(required=True)
    local_date = fields.Date(required=True)
    start_local = fields.String(required=True)
    planned_at = fields.AwareDateTime(required=True)
    duration_ms = fields.Integer(required=True, allow_none=True)
    villages = fields.List(fields.String(), required=True)
    items = fields.List(fields.Nested(ItemOut), required=True)
    files = fields.List(fields.Nested(FileOut), required=True)


class AiringOut(AiringLine):
    """One airing."""


class AiringsOut(Schema):
    """Lines of the plan in order of time."""

    airings = fields.List(fields.Nested(AiringLine), required=True)


class OutcomeLine(Schema):
    """What one receiver did with an airing; `why` is one Vietnamese sentence."""

    receiver = fields.Integer(required=True)
    name = fields.String(required=True)
    outcome = fields.String(required=True, validate=_values(Outcome))
    why = fields.String(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    heard_ms = fields.Integer(required=True)


class OutcomesOut(Schema):
    """Every receiver that could have played it."""

    outcomes = fields.List(fields.Nested(OutcomeLine), required=True)


class ReceiverLine(Schema):
    """A player and how it is."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    villages = fields.List(fields.String(), required=True)
    last_seen_at = fields.AwareDateTime(required=True, allow_none=True)
    revoked = fields.Boolean(required=True)
    alarms = fields.List(fields.String(), required=True)


class ReceiverOut(ReceiverLine):
    """One player."""


class ReceiversOut(Schema):
    """All players."""

    receivers = fields.List(fields.Nested(ReceiverLine), required=True)


class AsRunQuery(Page):
    """Which lines of the players' log."""

    airing = fields.String(validate=AIRING_ID)
    receiver = PlainNumber(validate=validators.Range(1, LARGEST_ID))


class AsRunOut(Schema):
    """One line that a player wrote; lines are only ever added."""

    id = fields.Integer(required=True)
    receiver = fields.Integer(required=True)
    sequence = fields.Integer(required=True)
    airing = fields.String(required=True)
    event = fields.String(required=True, validate=_values(AsRunEvent))
    at = fields.AwareDateTime(required=True)
    offset_ms = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    reason = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)


class AsRunPage(Schema):
    """A page of the log in the order it came in."""

    events = fields.List(fields.Nested(AsRunOut), required=True)
    next_after = fields.Integer(required=True, allow_none=True)
