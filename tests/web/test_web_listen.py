"""Pages that anybody may open: what is approved and nothing else, as chat apps and portals need it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from broadcaster.delivery import social
from broadcaster.model import BulletinState
from broadcaster.newsroom.bulletins import withdraw
from broadcaster.store.tables import RenderJob, SocialPost, User
from broadcaster.worker import Worker
from tests.support.web_station import NOW
from tests.web.test_web_village import link


def page(world: Any, path: str) -> html.HtmlElement:
    answer = world.browser().get(path)
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.text)


def meta(tree: html.HtmlElement, name: str) -> str:
    return tree.xpath(f"string(//meta[@property='{name}']/@content)")


def test_a_shared_link_has_what_zalo_and_facebook_show(world: Any) -> None:
    tree = page(world, f"/nghe/nhu-thanh/{world.made.approved}")
    assert meta(tree, "og:title") == "Bình dân học vụ số"
    assert meta(tree, "og:url") == f"https://loa.example.vn/nghe/nhu-thanh/{world.made.approved}"
    assert 50 < len(meta(tree, "og:description")) <= 200
    picture = world.browser().get(meta(tree, "og:image").removeprefix("https://loa.example.vn"))
    assert (picture.status_code, picture.mimetype) == (200, "image/png")
    heard = world.browser().get(meta(tree, "og:audio").removeprefix("https://loa.example.vn"))
    assert heard.mimetype == meta(tree, "og:audio:type") == "audio/flac"
    assert "39/KH-UBND" in tree.text_content()


def test_only_what_is_approved_is_here_and_a_withdrawn_bulletin_is_gone_at_once(world: Any) -> None:
    for bulletin_id in (world.made.draft, world.made.waiting, world.made.other_bulletin, 999_999):
        for what in ("", "/anh.png", "/am-thanh", "/video.mp4", "/phu-de.vtt"):
            assert world.browser().get(f"/nghe/nhu-thanh/{bulletin_id}{what}").status_code == 404
    assert world.browser().get("/nghe/khong-co").status_code == 404
    with world.db.writing(station_id=world.made.station) as session:
        approver = session.get_one(User, world.made.users["lanhdao"])
        withdraw(session, world.made.approved, actor=approver, reason="Sai ngày.", now=NOW)
    assert world.browser().get(f"/nghe/nhu-thanh/{world.made.approved}").status_code == 404


def test_the_listening_page_and_the_embedded_player_list_what_was_on_the_air(world: Any) -> None:
    for path in ("/nghe/nhu-thanh", "/nhung/nhu-thanh"):
        tree = page(world, path)
        assert tree.xpath("//audio/@src")[0].startswith("/a/")
        assert "Bình dân học vụ số" in tree.text_content()
        assert "Phòng cháy rừng" not in tree.text_content()


def test_only_the_embedded_player_may_be_framed_and_it_is_nothing_to_steal_from(world: Any) -> None:
    framed = world.browser().get("/nhung/nhu-thanh")
    assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    assert "Set-Cookie" not in framed.headers
    assert "<form" not in framed.text
    for path in ("/nghe/nhu-thanh", f"/nghe/nhu-thanh/{world.made.approved}", "/dang-nhap", link(world)):
        answer = world.browser().get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_feeds_by_topic_and_village_hold_only_theirs_and_the_channels_page_names_them(world: Any) -> None:
    browser = world.browser("canbo")
    shown = browser.get("/kenh").text
    addresses = set(re.findall(r"https://loa\.example\.vn(/[^\s\"<&]+)", shown))
    assert {
        "/feeds/nhu-thanh.xml",
        "/feeds/nhu-thanh/chu-de/an-toan.xml",
        "/feeds/nhu-thanh/thon/thon-1.ics",
    } <= addresses
    for address in addresses:
        assert world.browser().get(address).status_code == 200, address
    assert world.browser().get("/feeds/nhu-thanh/chu-de/chuyen-doi-so.xml").text.count("<item>") == 1
    assert world.browser().get("/feeds/nhu-thanh/chu-de/an-toan.xml").text.count("<item>") == 0
    assert world.browser().get("/feeds/nhu-thanh/thon/khong-co.xml").status_code == 404
    assert "&lt;iframe src=" in shown
    art = world.browser().get("/feeds/nhu-thanh/anh.png")
    assert art.mimetype == "image/png"


def test_a_video_is_asked_for_made_and_then_served_with_captions(world: Any) -> None:
    browser = world.browser("canbo")
    where = f"/ban-tin/{world.made.approved}/chia-se"
    assert "Dựng video có phụ đề" in browser.get(where).text
    assert browser.post(f"{where}/video").status_code == 303
    assert "Đang dựng video" in browser.get(where).text
    with Worker(world.settings, world.db, now=world.clock) as worker:
        worker.work_off(("share",))
    with world.db.reading() as session:
        job = session.scalars(select(RenderJob).where(RenderJob.kind == "share")).one()
        assert job.state == "done", job.error
    video = world.browser().get(
        f"/nghe/nhu-thanh/{world.made.approved}/video.mp4", headers={"Range": "bytes=0-99"}
    )
    assert (video.status_code, video.mimetype, video.data[4:8]) == (206, "video/mp4", b"ftyp")
    tree = page(world, f"/nghe/nhu-thanh/{world.made.approved}")
    assert meta(tree, "og:video").endswith("/video.mp4")
    assert meta(tree, "og:audio:type") == "audio/mpeg"
    assert world.browser().get(f"/nghe/nhu-thanh/{world.made.approved}/am-thanh").mimetype == "audio/mpeg"
    captions = world.browser().get(f"/nghe/nhu-thanh/{world.made.approved}/phu-de.vtt")
    assert captions.text.startswith("WEBVTT")


def test_what_is_not_approved_cannot_be_shared(world: Any) -> None:
    browser = world.browser("canbo")
    assert "chưa được duyệt nên chưa chia sẻ được" in browser.get(f"/ban-tin/{world.made.draft}/chia-se").text
    for what in ("video", "dang", "ghi-lai"):
        answer = browser.post(
            f"/ban-tin/{world.made.waiting}/chia-se/{what}", {"network": "nhom-zalo", "text": "x"}
        )
        assert answer.status_code == 422
    assert browser.get(f"/ban-tin/{world.made.waiting}/bang-tin.pdf").status_code == 422


def test_the_notice_is_a_pdf_and_is_refused_while_phones_could_not_open_its_code(world: Any) -> None:
    browser = world.browser("canbo")
    answer = browser.get(f"/ban-tin/{world.made.approved}/bang-tin.pdf")
    assert (answer.mimetype, answer.data[:5]) == ("application/pdf", b"%PDF-")
    world.settings.values["web.public_url"] = "http://127.0.0.1:8000"
    assert browser.get(f"/ban-tin/{world.made.approved}/bang-tin.pdf").status_code == 422


# ------------------------------------------------------------------------------------ posting


class Pretended:
    """A network that keeps what it was given."""

    name = "facebook"

    def __init__(self, answer: Any) -> None:
        self.answer, self.seen = answer, []

    def post(self, what: social.Post) -> social.Posted:
        self.seen.append(what)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def posts(world: Any) -> list[SocialPost]:
    with world.db.reading() as session:
        return list(session.scalars(select(SocialPost).order_by(SocialPost.id)))


def connected(world: Any, monkeypatch: pytest.MonkeyPatch, answer: Any) -> Pretended:
    network = Pretended(answer)
    monkeypatch.setattr(social, "networks", lambda settings: {"facebook": network})
    monkeypatch.setattr("broadcaster.worker.jobs.networks", lambda settings: {"facebook": network})
    return network


def sent(world: Any, browser: Any, text: str = "Bà con nghe bản tin.") -> Any:
    return browser.post(f"/ban-tin/{world.made.approved}/chia-se/dang", {"network": "facebook", "text": text})


def work(world: Any) -> None:
    with Worker(world.settings, world.db, now=world.clock) as worker:
        worker.work_off(("social",))


def test_a_post_goes_out_once_is_written_down_and_not_sent_twice(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = connected(world, monkeypatch, social.Posted("77_1", "https://www.facebook.com/77_1"))
    browser = world.browser("canbo")
    browser.get(f"/ban-tin/{world.made.approved}/chia-se")
    assert sent(world, browser).status_code == 303
    work(world)
    (row,) = posts(world)
    assert (row.state, row.remote_id, row.by_hand) == ("posted", "77_1", False)
    (what,) = network.seen
    assert what.text == "Bà con nghe bản tin."
    assert what.url == f"https://loa.example.vn/nghe/nhu-thanh/{world.made.approved}"
    again = sent(world, browser)
    assert again.status_code == 422
    assert "đã có bài ở Trang Facebook" in again.text
    with world.db.reading(station_id=world.made.station) as session:
        assert social.counts(session, NOW.replace(hour=0), NOW.replace(hour=23)) == {"facebook": 1}


def test_a_refused_post_says_why_and_may_be_tried_again(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = connected(world, monkeypatch, social.SocialError("Mã của Trang Facebook đã hết hạn."))
    browser = world.browser("canbo")
    browser.get(f"/ban-tin/{world.made.approved}/chia-se")
    sent(world, browser)
    work(world)
    assert (posts(world)[0].state, posts(world)[0].error) == ("failed", "Mã của Trang Facebook đã hết hạn.")
    assert "đã hết hạn" in browser.get(f"/ban-tin/{world.made.approved}/chia-se").text
    network.answer = social.Posted("77_2")
    assert sent(world, browser).status_code == 303
    work(world)
    assert [row.state for row in posts(world)] == ["failed", "posted"]


def test_a_worker_that_died_while_posting_does_not_post_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = connected(world, monkeypatch, social.Posted("77_3"))
    browser = world.browser("canbo")
    browser.get(f"/ban-tin/{world.made.approved}/chia-se")
    sent(world, browser)
    with world.db.writing() as session:
        social.begin(session, session.scalars(select(SocialPost.id)).one())
    work(world)
    assert network.seen == []
    assert "chưa rõ đã lên" in posts(world)[0].error


def test_posting_is_off_until_a_token_is_set_and_posts_by_hand_are_counted(world: Any) -> None:
    browser = world.browser("canbo")
    shown = browser.get(f"/ban-tin/{world.made.approved}/chia-se").text
    assert "Đài chưa nối với Zalo OA" in shown
    assert sent(world, browser).status_code == 422
    where = f"/ban-tin/{world.made.approved}/chia-se/ghi-lai"
    assert browser.post(where, {"network": "nhom-zalo", "url": "javascript:alert(1)"}).status_code == 422
    assert browser.post(where, {"network": "nhom-zalo", "url": ""}).status_code == 303
    (row,) = posts(world)
    assert (row.state, row.by_hand) == ("posted", True)
    assert "đăng tay" in browser.get(f"/ban-tin/{world.made.approved}/chia-se").text
    assert "Nhóm Zalo: 1 bài" in browser.get("/kenh").text


def test_the_state_of_a_bulletin_is_not_touched_by_sharing_it(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get(f"/ban-tin/{world.made.approved}/chia-se")
    browser.post(f"/ban-tin/{world.made.approved}/chia-se/ghi-lai", {"network": "cong"})
    answer = browser.get(f"/ban-tin?trang_thai={BulletinState.APPROVED.value}")
    assert "Bình dân học vụ số" in answer.text
