"""The plan for machines of other people: a podcast feed (RSS 2.0) and a calendar (RFC 5545)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from broadcaster.model import AiringOrigin, AiringState, PlannedAiring, PlannedFile, RenditionKind

_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_ATOM: Final = "http://www.w3.org/2005/Atom"
# What XML 1.0 cannot hold at all, even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Podcast:
    """What a feed says of itself.  Addresses are absolute; `image_url` is a square picture of 1400 pixels or more."""

    title: str
    about: str
    author: str
    base_url: str
    feed_url: str
    site_url: str
    image_url: str
    email: str = ""


def rss(airings: Iterable[PlannedAiring], podcast: Podcast, *, now: datetime) -> bytes:
    """A podcast of the programmes whose time has come, newest first: any podcast app can play the station.

    Drills and airings that were left out are no part of it.
    """
    ET.register_namespace("itunes", _ITUNES)
    ET.register_namespace("atom", _ATOM)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    heard = sorted(_heard(airings, now), key=lambda pair: pair[0].planned_at, reverse=True)
    _text(channel, "title", podcast.title)
    _text(channel, "link", podcast.site_url)
    _text(channel, "description", podcast.about)
    _text(channel, "language", "vi")
    # The newest programme's time and not the clock's: an unchanged feed keeps its bytes and its ETag.
    newest = heard[0][0].planned_at if heard else datetime(2026, 1, 1, tzinfo=UTC)
    _text(channel, "lastBuildDate", format_datetime(newest.astimezone(UTC)))
    ET.SubElement(channel, f"{{{_ATOM}}}link", href=podcast.feed_url, rel="self", type="application/rss+xml")
    image = ET.SubElement(channel, "image")
    for name, value in (
        ("url", podcast.image_url),
        ("title", podcast.title),
        ("link", podcast.site_url),
    ):
        _text(image, name, value)
    ET.SubElement(channel, f"{{{_ITUNES}}}image", href=podcast.image_url)
    ET.SubElement(channel, f"{{{_ITUNES}}}category", text="Government")
    _text(channel, f"{{{_ITUNES}}}author", podcast.author)
    _text(channel, f"{{{_ITUNES}}}explicit", "false")
    _text(channel, f"{{{_ITUNES}}}type", "episodic")
    if podcast.email:
        owner = ET.SubElement(channel, f"{{{_ITUNES}}}owner")
        _text(owner, f"{{{_ITUNES}}}name", podcast.author)
        _text(owner, f"{{{_ITUNES}}}email", podcast.email)
    for airing, file in heard:
        _episode(ET.SubElement(channel, "item"), airing, file, podcast)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _heard(airings: Iterable[PlannedAiring], now: datetime) -> Iterable[tuple[PlannedAiring, PlannedFile]]:
    for airing in airings:
        if (
            airing.planned_at <= now
            and RenditionKind.AIR in airing.files
            and airing.state not in (AiringState.SKIPPED, AiringState.CANCELLED)
            and airing.origin is not AiringOrigin.DRILL
        ):
            yield airing, airing.files[RenditionKind.AIR]


def _episode(item: ET.Element, airing: PlannedAiring, file: PlannedFile, podcast: Podcast) -> None:
    titles = [one.title for one in airing.items if one.approved]
    about = "; ".join(titles) or airing.slot_name
    _text(item, "title", f"{airing.slot_name} {airing.start_local:%H:%M} {airing.local_date:%d/%m/%Y}")
    _text(item, "link", podcast.site_url)
    _text(item, "description", about)
    _text(item, "pubDate", format_datetime(airing.planned_at.astimezone(UTC)))
    ET.SubElement(item, "guid", isPermaLink="false").text = f"{airing.airing_id}/{airing.variant}"
    ET.SubElement(
        item,
        "enclosure",
        url=f"{podcast.base_url.rstrip('/')}/a/{file.sha256}.mp3",
        length=str(file.size_bytes),
        type="audio/mpeg",
    )
    _text(item, f"{{{_ITUNES}}}explicit", "false")
    _text(item, f"{{{_ITUNES}}}episodeType", "full")
    _text(item, f"{{{_ITUNES}}}summary", about)
    if airing.duration_ms:
        _text(item, f"{{{_ITUNES}}}duration", str(max(1, round(airing.duration_ms / 1000))))


def ical(airings: Iterable[PlannedAiring], *, title: str, host: str, now: datetime) -> bytes:
    """A calendar of the airings; one that is left out is there as CANCELLED, with its reason."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//broadcaster//plan//VI", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH", f"X-WR-CALNAME:{_escape(title)}",
    ]  # fmt: skip
    for airing in airings:
        length = timedelta(milliseconds=airing.duration_ms or airing.max_ms or 15 * 60_000)
        off = airing.state in (AiringState.SKIPPED, AiringState.CANCELLED)
        about = airing.reason if off else "; ".join(one.title for one in airing.items if one.approved)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{airing.airing_id}-{airing.variant}@{host}",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{_instant(airing.planned_at)}",
            f"DTEND:{_instant(airing.planned_at + length)}",
            f"SUMMARY:{_escape(airing.slot_name)}",
            f"DESCRIPTION:{_escape(about)}",
            f"STATUS:{'CANCELLED' if off else 'CONFIRMED'}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, name).text = _NOT_XML.sub("", value)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escape(value: str) -> str:
    plain = "".join(letter for letter in value if letter == "\n" or letter >= " ")
    for raw, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(raw, escaped)
    return plain


def _folded(line: str) -> bytes:
    """At most 75 octets a line, never cut inside a letter (RFC 5545, 3.1)."""
    out, used = [], 0
    for letter in line:
        size = len(letter.encode("utf-8"))
        if used + size > 75:
            out.append("\r\n ")
            used = 1
        out.append(letter)
        used += size
    return ("".join(out) + "\r\n").encode("utf-8")
