"""Feeds and calendars as other programs read them: two independent parsers each must agree with the plan."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, time, timedelta

import feedparser
import icalendar
import ics
import podcastparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.delivery.cards import artwork, card
from broadcaster.delivery.feeds import Podcast, ical, rss
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    Priority,
    RenditionKind,
)

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ITUNES = "{http://www.itunes.com/dtds/podcast-1.0.dtd}"
TOLD = Podcast(
    title="Đài xã Như Thanh & các thôn", about="Các buổi phát của xã.", author="Đài xã Như Thanh",
    base_url="https://loa.vn", feed_url="https://loa.vn/feeds/nhu-thanh.xml", site_url="https://loa.vn/nghe/nhu-thanh",
    image_url="https://loa.vn/feeds/nhu-thanh/anh.png",
)  # fmt: skip


def line(number: int, at: datetime, **more: object) -> PlannedAiring:
    local = at + timedelta(hours=7)
    fields: dict[str, object] = {
        "airing_id": f"airing-{number}", "origin": AiringOrigin.SLOT, "state": AiringState.STARTED, "reason": "",
        "priority": Priority.ROUTINE, "local_date": local.date(), "start_local": time(local.hour, local.minute),
        "planned_at": at, "slot_name": "Buổi sáng", "variant": 1, "villages": ("a",),
        "items": (PlannedItem("Tiêm chủng, đợt 2; <mới>", 1, "Y tế", True),),
        "files": {RenditionKind.AIR: PlannedFile(f"{number:064x}", 1000 + number)}, "duration_ms": 61_400,
    }  # fmt: skip
    return PlannedAiring(**(fields | more))  # type: ignore[arg-type]


LINES = [
    line(1, NOW - timedelta(days=2)),
    line(2, NOW - timedelta(days=1), duration_ms=3_725_000, slot_name="Buổi chiều, thứ hai"),
    line(3, NOW - timedelta(hours=1), origin=AiringOrigin.DRILL),
    line(4, NOW - timedelta(hours=3), state=AiringState.SKIPPED, reason="Nghỉ Tết"),
    line(5, NOW + timedelta(hours=5), state=AiringState.PLANNED),
]


def test_two_feed_parsers_read_the_same_episodes_at_the_same_times() -> None:
    data = rss(LINES, TOLD, now=NOW)
    one = feedparser.parse(data)
    assert not one.bozo, one.get("bozo_exception")
    other = podcastparser.parse(TOLD.feed_url, io.BytesIO(data))
    first = [
        (entry.title, entry.id, entry.enclosures[0].href, int(entry.enclosures[0].length),
         datetime(*entry.published_parsed[:6], tzinfo=UTC))
        for entry in one.entries
    ]  # fmt: skip
    second = [
        (episode["title"], episode["guid"], episode["enclosures"][0]["url"], episode["enclosures"][0]["file_size"],
         datetime.fromtimestamp(episode["published"], UTC))
        for episode in other["episodes"]
    ]  # fmt: skip
    assert first == second
    assert [(row[1], row[4]) for row in first] == [
        ("airing-2/1", LINES[1].planned_at), ("airing-1/1", LINES[0].planned_at),
    ]  # fmt: skip
    assert [episode["total_time"] for episode in other["episodes"]] == [3725, 61]
    assert (one.feed.title, other["title"]) == (TOLD.title, TOLD.title)


def test_a_feed_has_what_podcast_directories_demand() -> None:
    channel = ET.fromstring(rss(LINES, TOLD, now=NOW)).find("channel")
    assert channel is not None
    for name in ("title", "link", "description", "language", f"{ITUNES}author", f"{ITUNES}explicit"):
        assert (channel.findtext(name) or "").strip(), name
    assert channel.find(f"{ITUNES}category") is not None
    image = channel.find(f"{ITUNES}image")
    assert image is not None
    assert image.get("href") == TOLD.image_url
    self_link = channel.find("{http://www.w3.org/2005/Atom}link")
    assert self_link is not None
    assert (self_link.get("rel"), self_link.get("href")) == ("self", TOLD.feed_url)
    guids = [item.findtext("guid") for item in channel.findall("item")]
    assert len(set(guids)) == len(guids) == 2
    for item in channel.findall("item"):
        enclosure = item.find("enclosure")
        assert enclosure is not None
        assert enclosure.get("type") == "audio/mpeg"
        assert enclosure.get("url", "").endswith(".mp3")
        assert int(enclosure.get("length", "0")) > 0
        assert int(item.findtext(f"{ITUNES}duration") or 0) > 0


def test_an_unchanged_feed_keeps_its_bytes_whatever_the_clock_says() -> None:
    assert rss(LINES, TOLD, now=NOW) == rss(LINES, TOLD, now=NOW + timedelta(hours=2))


def test_the_artwork_is_a_square_png_large_enough_and_the_card_what_facebook_wants() -> None:
    assert _size(artwork("Đài truyền thanh xã Như Thanh", "Nghe lại")) == (1400, 1400)
    assert _size(card("Đài xã", "Phòng cháy rừng " * 20, "Bấm để nghe")) == (1200, 630)


def test_two_calendar_parsers_read_the_same_airings_at_the_same_times() -> None:
    data = ical(LINES, title=TOLD.title, host="loa.vn", now=NOW)
    one = icalendar.Calendar.from_ical(data)
    first = sorted(
        (str(e["UID"]), str(e["SUMMARY"]), str(e.get("DESCRIPTION", "")), str(e["STATUS"]), e["DTSTART"].dt, e["DTEND"].dt)
        for e in one.walk("VEVENT")
    )  # fmt: skip
    second = sorted(
        (e.uid, e.name, e.description or "", e.status, e.begin.datetime, e.end.datetime)
        for e in ics.Calendar(data.decode("utf-8")).events
    )
    assert first == second
    assert len(first) == 5
    assert first[0] == (
        "airing-1-1@loa.vn", "Buổi sáng", "Tiêm chủng, đợt 2; <mới>", "CONFIRMED", LINES[0].planned_at,
        LINES[0].planned_at + timedelta(seconds=61),
    )  # fmt: skip
    assert {row[3] for row in first} == {"CONFIRMED", "CANCELLED"}


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=60), st.integers(-40, 0), st.integers(1, 7_200_000)),
        max_size=4,
    )
)
def test_any_titles_and_lengths_give_feeds_that_both_kinds_of_parser_agree_on(
    rows: list[tuple[str, int, int]],
) -> None:
    lines = [
        line(number, NOW + timedelta(hours=hours), slot_name=name, duration_ms=length)
        for number, (name, hours, length) in enumerate(rows)
    ]
    one = feedparser.parse(rss(lines, TOLD, now=NOW))
    other = podcastparser.parse(TOLD.feed_url, io.BytesIO(rss(lines, TOLD, now=NOW)))
    assert sorted(e.id for e in one.entries) == sorted(e["guid"] for e in other["episodes"])
    assert len(one.entries) == len(lines)
    events = icalendar.Calendar.from_ical(ical(lines, title="Đài", host="loa.vn", now=NOW)).walk("VEVENT")
    assert sorted(e["DTSTART"].dt for e in events) == sorted(one.planned_at for one in lines)


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 12, 31)])
def test_local_days_and_instants_do_not_drift_at_the_turn_of_the_year(day: date) -> None:
    at = datetime.combine(day, time(5, 30)).replace(tzinfo=UTC) - timedelta(hours=7)
    (event,) = icalendar.Calendar.from_ical(ical([line(1, at)], title="Đài", host="x", now=NOW)).walk(
        "VEVENT"
    )
    assert event["DTSTART"].dt == at


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height
