"""What machines of other people ask for: podcast, calendar, the day in one file, metrics."""

import io
import xml.etree.ElementTree as ET
import zipfile
from typing import Any

from sqlalchemy import select

from broadcaster.model import RenditionKind
from broadcaster.store.tables import Rendition
from tests.support.web_station import at, flac
from tests.web.test_web_village import link


def test_the_podcast_lists_what_was_on_the_air_with_files_that_can_be_fetched(world: Any) -> None:
    answer = world.browser().get("/feeds/nhu-thanh.xml")
    assert answer.mimetype == "application/rss+xml"
    items = ET.fromstring(answer.data).findall("./channel/item")
    assert len(items) == 1
    enclosure = items[0].find("enclosure")
    assert enclosure is not None
    assert enclosure.get("url", "").startswith("https://loa.example.vn/a/")
    assert answer.headers["ETag"]
    again = world.browser().get("/feeds/nhu-thanh.xml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_calendar_has_every_coming_airing_and_an_unknown_station_is_not_there(world: Any) -> None:
    answer = world.browser().get("/feeds/nhu-thanh.ics")
    assert answer.text.count("BEGIN:VEVENT") >= 2
    assert world.browser().get("/feeds/khong-co.ics").status_code == 404


def test_the_day_comes_in_one_file_and_goes_on_where_it_stopped(world: Any) -> None:
    world.clock.now = at("08:00")
    sha256 = world.app.extensions["broadcaster"].blobs.put(flac(), suffix="mp3")
    with world.db.writing() as session:
        for rendition in session.scalars(select(Rendition).where(Rendition.kind == RenditionKind.AIR)):
            rendition.sha256 = sha256
    browser = world.browser()
    whole = browser.get(link(world) + "/ca-ngay.zip")
    assert whole.status_code == 200
    names = zipfile.ZipFile(io.BytesIO(whole.data)).namelist()
    assert any(name.endswith(".mp3") for name in names)
    rest = browser.get(
        link(world) + "/ca-ngay.zip", headers={"Range": "bytes=100-", "If-Range": whole.headers["ETag"]}
    )
    assert rest.status_code == 206
    assert whole.data[:100] + rest.data == whole.data


def test_metrics_are_told_to_this_machine_only(world: Any) -> None:
    here = world.browser().get("/metrics")
    assert "broadcaster_airings{state=" in here.text
    away = world.browser().get("/metrics", environ_overrides={"REMOTE_ADDR": "203.0.113.9"})
    assert away.status_code == 404
