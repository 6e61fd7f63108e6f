"""From a plan on paper to the count in the report: one bulletin, one morning, everything real but the clock."""

import hashlib
import re
import threading
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from broadcaster.commands.run import web_server
from broadcaster.install import SAMPLE
from broadcaster.model import Outcome, RenditionKind
from broadcaster.playout.clock import GivenClock
from broadcaster.playout.outputs.deck import RATE_HZ
from broadcaster.playout.player import run_player
from broadcaster.report.counting import airing_report
from broadcaster.schedule.plan import plan
from broadcaster.store.tables import AsRun
from tests.support.hearing import decoded, onset
from tests.support.live import PASSWORD, live_station, utc
from tests.support.visitor import Visitor

ONE_BUFFER = RATE_HZ * 20 // 1000


def test_a_plan_is_imported_mended_approved_heard_on_time_downloaded_and_counted(tmp_path: Path) -> None:
    with (
        live_station(tmp_path / "đài của xã", utc("2026-11-23 15:00")) as live,
        web_server(live.settings, now=live.clock) as address,
        Visitor(address) as officer,
        Visitor(address) as approver,
    ):
        # the officer imports a .docx and answers what the reading does not know
        officer.open("/dang-nhap").press("Đăng nhập", {"username": "hoa", "password": PASSWORD})
        officer.open("/ban-tin/moi").press(
            "Tiếp tục",
            files={"file": ("ke-hoach-mau.docx", (SAMPLE / "bulletins" / "ke-hoach-mau.docx").read_bytes())},
        )
        assert "chỗ chưa biết đọc thế nào" in officer.text
        assert "Tiếp tục: xem lại rồi gửi" not in [
            b.text_content().strip() for b in officer.page.xpath("//button")
        ]
        answers = 0
        while officer.page.xpath("//fieldset[contains(@class,'ask-card')]"):
            field = officer.page.xpath("//fieldset[contains(@class,'ask-card')]//input[@type='text']")[0]
            officer.press("Lưu cách đọc này", {field.get("name"): "số và ngày ghi trong văn bản"})
            answers += 1
            assert answers < 10, officer.text
        assert answers >= 1
        mended = officer.page.xpath("//details//div[@class='fix']//input[@type='text' and @value!='']")[0]
        officer.press("Lưu cách đọc", {mended.get("name"): "lời người soạn sửa"})
        assert "lời người soạn sửa" in " ".join(
            p.text_content() for p in officer.page.xpath("//p[@class='spoken']")
        )
        assert "Nơi nhận" not in " ".join(
            p.text_content() for p in officer.page.xpath("//p[@class='spoken']")
        )
        officer.press("Tiếp tục: xem lại rồi gửi").press("Gửi duyệt")
        bulletin = re.search(r"/ban-tin/(\d+)", officer.answer.url).group(1)  # type: ignore[union-attr]

        # the worker freezes the take; the officer cannot approve, the approver can
        live.work()
        approver.open("/dang-nhap").press("Đăng nhập", {"username": "minh", "password": PASSWORD})
        approver.open("/duyet")
        (waiting,) = {a for a in approver.page.xpath("//a/@href") if re.search(r"/duyet/\d+", a)}
        assert officer.web.get(address + waiting, timeout=30).text.count("/duyet/1/duyet") == 0
        approver.open(waiting).press("Duyệt")
        assert "đã duyệt" in approver.text.lower()

        # placed in tomorrow's 05:30 and rendered
        with live.db.reading() as session:
            (morning,) = [a for a in plan(session, date(2026, 11, 24)) if a.start_local.hour == 5]
        officer.open(f"/lich/buoi/{morning.airing_id}").press("Xếp", {"bulletin": bulletin})
        live.tick()
        live.work()
        live.clock.now = utc("2026-11-24 05:05")
        live.tick()
        with live.db.reading() as session:
            (ready,) = [a for a in plan(session, date(2026, 11, 24)) if a.start_local.hour == 5]
        assert ready.state == "closed"
        programme = ready.files[RenditionKind.AIR]
        assert ready.duration_ms is not None

        # the time comes
        wav = tmp_path / "nghe.wav"
        begin = ready.planned_at - timedelta(seconds=5)
        live.clock.now = ready.planned_at
        run_player(
            live.settings, server=address, output=f"wav:{wav}", clock=GivenClock(begin), stop=threading.Event(),
            until=ready.planned_at + timedelta(milliseconds=ready.duration_ms + 3000),
        )  # fmt: skip
        mp3 = tmp_path / "chương trình.mp3"
        mp3.write_bytes(officer.web.get(f"{address}/a/{programme.sha256}.mp3", timeout=30).content)
        assert hashlib.sha256(mp3.read_bytes()).hexdigest() == programme.sha256
        sound, heard = decoded(mp3), decoded(wav)
        loud = sound[2 * RATE_HZ : 12 * RATE_HZ]
        at, alike = onset(heard[: 30 * RATE_HZ], loud)
        assert abs(at - 7 * RATE_HZ) <= ONE_BUFFER
        assert alike > 0.999
        assert not heard[: 5 * RATE_HZ].any()

        # as-run says so
        live.tick()
        with live.db.reading() as session:
            events = [
                (row.event.value, row.at) for row in session.scalars(select(AsRun).order_by(AsRun.sequence))
            ]
        assert [event for event, _ in events] == ["started", "finished"]
        assert abs(events[0][1] - ready.planned_at) < timedelta(seconds=1)

        # a village downloads the same file and confirms; twice is once
        with Visitor(address) as village:
            live.clock.now = ready.planned_at + timedelta(minutes=20)
            village.open(live.village_link(3))
            (link,) = {a for a in village.page.xpath("//a/@href") if programme.sha256 in a}
            got = village.web.get(address + link, timeout=30)
            assert hashlib.sha256(got.content).hexdigest() == programme.sha256
            village.press("ĐÃ PHÁT XONG")
            assert "Xã đã nhận" in village.text
            village.open(live.village_link(3))

        # the report counts it
        with live.db.reading() as session:
            rows = [
                row for row in airing_report(session, date(2026, 11, 24), date(2026, 11, 24), now=live.clock.now)
                if row.airing_id == ready.airing_id
            ]  # fmt: skip
        assert len(rows) == 37
        assert len([row.village for row in rows if row.confirmed]) == 1
        assert all(line.told.outcome is Outcome.PLAYED for row in rows for line in row.players)
        officer.open("/dang-nhap")  # a night has passed: the session is over
        officer.press("Đăng nhập", {"username": "hoa", "password": PASSWORD})
        officer.open("/nhat-ky?tu=2026-11-24&den=2026-11-24")
        assert "1/37" in officer.text
