"""The plan for machines of other people: a podcast feed (RSS 2.0) and a calendar (RFC 5545)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from broadcaster.model import AiringState, PlannedAiring, RenditionKind

_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_ATOM: Final = "http://www.w3.org/2005/Atom"
# What XML 1.0 cannot hold at all, even escaped.
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def rss(
    airings: Iterable[PlannedAiring], *, title: str, base_url: str, feed_url: str, now: datetime
) -> bytes:
    """A podcast of the programmes whose time has come, newest first: any podcast app can play the station."""
    ET.register_namespace("itunes", _ITUNES)
    ET.register_namespace("atom", _ATOM)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _text(channel, "title", title)
    _text(channel, "link", base_url)
    _text(channel, "description", f"Các buổi phát của {title}")
    _text(channel, "language", "vi")
    _text(channel, "lastBuildDate", format_datetime(now.astimezone(UTC)))
    ET.SubElement(channel, f"{{{_ATOM}}}link", href=feed_url, rel="self", type="application/rss+xml")
    heard = [
        (airing, airing.files[RenditionKind.AIR])
        for airing in airings
        if airing.planned_at <= now
        and RenditionKind.AIR in airing.files
        and airing.state not in (AiringState.SKIPPED, AiringState.CANCELLED)
    ]
    for airing, file in sorted(heard, key=lambda pair: pair[0].planned_at, reverse=True):
        item = ET.SubElement(channel, "item")
        _text(item, "title", f"{airing.slot_name} {airing.start_local:%H:%M} {airing.local_date:%d/%m/%Y}")
        _text(item, "description", "; ".join(one.title for one in airing.items if one.approved))
        _text(item, "pubDate", format_datetime(airing.planned_at.astimezone(UTC)))
        ET.SubElement(item, "guid", isPermaLink="false").text = f"{airing.airing_id}/{airing.variant}"
        ET.SubElement(
            item,
            "enclosure",
            url=f"{base_url.rstrip('/')}/a/{file.sha256}.mp3",
            length=str(file.size_bytes),
            type="audio/mpeg",
        )
        if airing.duration_ms:
            _text(item, f"{{{_ITUNES}}}duration", str(round(airing.duration_ms / 1000)))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def ical(airings: Iterable[PlannedAiring], *, title: str, host: str, now: datetime) -> bytes:
    """A calendar of the airings; one that is left out is there as CANCELLED, with its reason."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//broadcaster//plan//VI", "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_escape(title)}",
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
