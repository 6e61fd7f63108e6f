"""Village links, receivers' villages, receipts, packs and feeds."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from broadcaster.delivery.feeds import Podcast, ical, rss
from broadcaster.delivery.links import village_by_token, village_token
from broadcaster.delivery.manifest import for_villages
from broadcaster.delivery.packs import day_zip, plain_name
from broadcaster.delivery.receipts import receipts_of, record_receipt, withdraw_receipt
from broadcaster.errors import InputError, NotFound
from broadcaster.model import (
    AiringOrigin,
    AiringState,
    PlannedAiring,
    PlannedFile,
    PlannedItem,
    Priority,
    ReceiptKind,
    RenditionKind,
)
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import Village
from tests.support.receivers import Studio, studio

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
KEY = b"k" * 32


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, now=lambda: NOW) as opened:
        yield opened


def line(
    name: str = "Buổi sáng", variant: int = 1, *villages: str, sha256: str = "a" * 64, **more: object
) -> PlannedAiring:
    fields: dict[str, object] = {
        "airing_id": "1f0c", "origin": AiringOrigin.SLOT, "state": AiringState.STARTED, "reason": "",
        "priority": Priority.ROUTINE, "local_date": date(2026, 11, 24), "start_local": time(5, 30),
        "planned_at": datetime(2026, 11, 23, 22, 30, tzinfo=UTC), "slot_name": name, "variant": variant,
        "villages": villages, "items": (PlannedItem("Tiêm chủng, đợt 2", 1, "Y tế", True),),
        "files": {RenditionKind.AIR: PlannedFile(sha256, 1000)}, "duration_ms": 61_000,
    }  # fmt: skip
    return PlannedAiring(**(fields | more))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ links


def test_a_link_is_26_letters_that_can_be_printed_again() -> None:
    token = village_token(KEY, 7, 1)
    assert re.fullmatch(r"[a-z2-7]{26}", token)
    assert village_token(KEY, 7, 1) == token
    assert (
        len({token, village_token(KEY, 7, 2), village_token(KEY, 8, 1), village_token(b"x" * 32, 7, 1)}) == 4
    )


def test_a_link_opens_its_village_until_its_generation_rises(station: Studio) -> None:
    village = station.commune.villages[1]
    token = village_token(KEY, village.id, 1)
    with station.db.reading() as session:
        opened = village_by_token(session, KEY, f" {token.upper()} ")
        assert opened is not None
        assert opened.id == village.id
        assert village_by_token(session, KEY, "a" * 26) is None
        assert village_by_token(session, KEY, "../etc") is None
        assert village_by_token(session, b"x" * 32, token) is None
    with station.db.writing() as session:
        row = session.get(Village, village.id)
        assert row is not None
        row.link_generation += 1
    with station.db.reading() as session:
        assert village_by_token(session, KEY, token) is None


# ------------------------------------------------------------------------------------ which variant


def test_a_receiver_plays_the_variant_that_most_of_its_villages_hear() -> None:
    both = [line("A", 1, "x", "y"), line("A", 2, "z", "w", "v")]
    assert [one.variant for one in for_villages(both, frozenset())] == [1]
    assert [one.variant for one in for_villages(both, frozenset({"z"}))] == [2]
    assert [one.variant for one in for_villages(both, frozenset({"x", "z", "w"}))] == [2]
    assert [one.variant for one in for_villages(both, frozenset({"x", "z"}))] == [1]
    assert for_villages(both, frozenset({"không có"})) == []


# ------------------------------------------------------------------------------------ receipts


def test_a_confirmation_is_one_row_and_keeps_its_first_times(station: Studio) -> None:
    airing, village = station.airing(NOW), station.commune.villages[0]
    phone = NOW - timedelta(minutes=4)
    with station.db.writing() as session:
        first = record_receipt(session, village, airing, ReceiptKind.PLAYED, phone_at=phone, now=NOW)
        again = record_receipt(session, village, airing, ReceiptKind.PLAYED, now=NOW + timedelta(hours=1))
        assert again.id == first.id
        assert (again.phone_at, again.server_at) == (phone, NOW)


def test_could_not_play_needs_a_reason_and_takes_played_back(station: Studio) -> None:
    airing, village = station.airing(NOW), station.commune.villages[0]
    with station.db.writing() as session:
        record_receipt(session, village, airing, ReceiptKind.PLAYED, now=NOW)
        with pytest.raises(InputError, match="lý do"):
            record_receipt(session, village, airing, ReceiptKind.FAILED, reason="  ", now=NOW)
        record_receipt(session, village, airing, ReceiptKind.FAILED, reason="Mất điện", now=NOW)
        standing = receipts_of(session, village, [airing])[airing]
        assert [(row.kind, row.reason) for row in standing] == [(ReceiptKind.FAILED, "Mất điện")]
        record_receipt(session, village, airing, ReceiptKind.PLAYED, now=NOW)
        assert [row.kind for row in receipts_of(session, village, [airing])[airing]] == [ReceiptKind.PLAYED]


def test_a_wrong_tap_is_taken_back_and_may_come_again(station: Studio) -> None:
    airing, village = station.airing(NOW), station.commune.villages[0]
    later = NOW + timedelta(minutes=1)
    with station.db.writing() as session:
        assert withdraw_receipt(session, village, airing, ReceiptKind.PLAYED, now=NOW) is None
        record_receipt(session, village, airing, ReceiptKind.PLAYED, now=NOW)
        withdrawn = withdraw_receipt(session, village, airing, ReceiptKind.PLAYED, now=later)
        assert withdrawn is not None
        assert withdrawn.withdrawn_at == later
        assert receipts_of(session, village, [airing]) == {}
        back = record_receipt(session, village, airing, ReceiptKind.PLAYED, now=later)
        assert (back.withdrawn_at, back.server_at) == (None, later)


def test_an_airing_for_other_villages_cannot_be_confirmed(station: Studio) -> None:
    with station.db.writing() as session:
        far = Village(station_id=station.commune.station.id, slug="thon-9", name="Thôn 9", position=9)
        session.add(far)
        session.flush()
    airing = station.airing(NOW)
    with station.db.writing() as session, pytest.raises(NotFound, match="không dành cho thôn"):
        record_receipt(session, far, airing, ReceiptKind.PLAYED, now=NOW)


# ------------------------------------------------------------------------------------ packs and feeds


def test_a_days_pack_has_names_that_every_device_can_show(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put(b"mp3 mp3", suffix="mp3")
    day = [
        line("Buổi sáng – Đồng Hơn", sha256=sha256),
        line("Buổi sáng – Đồng Hơn", sha256=sha256),
        line("Buổi chiều", files={}, reason="Mất điện.", start_local=time(17, 0)),
    ]
    with day_zip(day, blobs=blobs) as opened, zipfile.ZipFile(io.BytesIO(opened.read())) as pack:
        assert pack.namelist() == [
            "20261124-0530-buoi-sang-dong-hon.mp3",
            "20261124-0530-buoi-sang-dong-hon-2.mp3",
            "lich-phat.txt",
        ]
        assert all(info.compress_type == zipfile.ZIP_STORED for info in pack.infolist())
        assert pack.read("20261124-0530-buoi-sang-dong-hon.mp3") == b"mp3 mp3"
        told = pack.read("lich-phat.txt").decode("utf-8-sig")
    assert "24/11/2026 17:00  Buổi chiều: Mất điện." in told
    assert "- Tiêm chủng, đợt 2" in told
    assert plain_name("!!!") == "chuong-trinh"


def test_the_feed_has_what_has_been_aired_and_nothing_else() -> None:
    rows = [
        line("Sáng & chiều <\x07>"),
        line("Sau này", planned_at=NOW + timedelta(hours=1)),
        line("Bỏ", state=AiringState.SKIPPED),
        line("Chưa dựng", files={}),
    ]
    told = Podcast(
        title="Đài xã", about="x", author="Đài xã", base_url="https://loa.vn/", feed_url="https://loa.vn/feeds/x.xml",
        site_url="https://loa.vn/nghe/x", image_url="https://loa.vn/feeds/x/anh.png",
    )  # fmt: skip
    data = rss(rows, told, now=NOW)
    channel = ET.fromstring(data).find("channel")
    assert channel is not None
    (item,) = channel.findall("item")
    assert item.findtext("title") == "Sáng & chiều <> 05:30 24/11/2026"
    assert item.findtext("pubDate") == "Mon, 23 Nov 2026 22:30:00 +0000"
    enclosure = item.find("enclosure")
    assert enclosure is not None
    assert enclosure.attrib == {
        "url": f"https://loa.vn/a/{'a' * 64}.mp3",
        "length": "1000",
        "type": "audio/mpeg",
    }
    assert item.findtext("{http://www.itunes.com/dtds/podcast-1.0.dtd}duration") == "61"


def test_the_calendar_folds_by_octets_and_unfolds_to_what_was_meant() -> None:
    rows = [
        line("Buổi sáng, thứ ba; " + "đường " * 20),
        line("Nghỉ", state=AiringState.SKIPPED, reason="Nghỉ Tết"),
    ]
    data = ical(rows, title="Đài xã", host="loa.vn", now=NOW)
    raw = data.split(b"\r\n")
    assert max(map(len, raw)) <= 75
    assert all(part.decode("utf-8") is not None for part in raw)
    text = data.decode("utf-8").replace("\r\n ", "")
    assert "SUMMARY:Buổi sáng\\, thứ ba\\; đường đường" in text
    assert "DTSTART:20261123T223000Z\r\nDTEND:20261123T223101Z" in text
    assert "STATUS:CANCELLED" in text
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
