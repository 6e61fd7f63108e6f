"""Contributing units, listeners and villages: what comes in from outside, and what goes back."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from broadcaster.delivery.followup import to_call
from broadcaster.delivery.receivers import add_receiver, issue_token
from broadcaster.model import AsRunEvent, RenditionKind
from broadcaster.newsroom.contributions import MOST_WAITING, contributor_token
from broadcaster.newsroom.villagelist import read_list
from broadcaster.store.tables import (
    AsRun,
    Bulletin,
    Contribution,
    Contributor,
    Feedback,
    FeedbackState,
    Rendition,
    Village,
)
from tests.support.web_station import NOW, TODAY, at, flac
from tests.web.test_web_village import link


def rows(world: Any, kind: Any) -> list[Any]:
    with world.db.reading(station_id=world.made.station) as session:
        return list(session.scalars(select(kind).order_by(kind.id)))


# ------------------------------------------------------------------------------------ contributors


def unit(world: Any) -> str:
    """A unit's own page."""
    browser = world.browser("canbo")
    browser.get("/don-vi")
    assert browser.post("/don-vi", {"name": "Trạm Y tế xã", "contact": "Chị Hà"}).status_code == 303
    row = rows(world, Contributor)[-1]
    token = contributor_token(world.app.extensions["broadcaster"].keys.link_key, row.id, row.link_generation)
    assert token in browser.get("/don-vi").text
    return f"/g/{token}"


SENT = {
    "title": "Lịch tiêm chủng",
    "text": "Kính thưa bà con. Ngày 05/12 trạm tiêm chủng.",
    "sender": "Hà",
    "wish": "sáng mai",
}


def test_a_units_draft_is_accepted_into_the_newsroom_and_the_unit_sees_it(world: Any) -> None:
    where = unit(world)
    outside = world.browser()
    assert outside.client.post(where, data=SENT).status_code == 303
    assert "Chờ xã nhận" in outside.get(where).text
    officer = world.browser("canbo")
    (row,) = rows(world, Contribution)
    assert "Lịch tiêm chủng" in officer.get("/don-vi").text
    assert "sáng mai" in officer.get(f"/don-vi/bai/{row.id}").text
    answer = officer.post(f"/don-vi/bai/{row.id}/nhan", {"topic": ""})
    assert answer.status_code == 303
    draft = rows(world, Bulletin)[-1]
    assert (draft.title, draft.draft_text, draft.source_name) == (SENT["title"], SENT["text"], "Trạm Y tế xã")
    assert draft.author_id == world.made.users["canbo"]
    assert "Xã đã nhận" in outside.get(where).text
    assert officer.post(f"/don-vi/bai/{row.id}/nhan").status_code == 409


def test_a_draft_that_is_not_taken_goes_back_with_its_reason(world: Any) -> None:
    where = unit(world)
    world.browser().client.post(where, data=SENT)
    officer = world.browser("canbo")
    (row,) = rows(world, Contribution)
    officer.get("/don-vi")
    assert officer.post(f"/don-vi/bai/{row.id}/khong-nhan", {"reason": " "}).status_code == 422
    assert officer.post(f"/don-vi/bai/{row.id}/khong-nhan", {"reason": "Thiếu giờ tiêm."}).status_code == 303
    assert "Thiếu giờ tiêm." in world.browser().get(where).text
    assert rows(world, Contribution)[0].text == SENT["text"]


def test_a_file_comes_in_as_it_would_in_the_newsroom_and_what_was_typed_stays_when_it_is_refused(
    world: Any,
) -> None:
    where = unit(world)
    client = world.app.test_client()
    good = client.post(where, data={"title": "", "file": (io.BytesIO("Bà con chú ý.".encode()), "tin.txt")})
    assert good.status_code == 303
    assert rows(world, Contribution)[0].source_name == "tin.txt"
    bad = client.post(
        where, data={"title": "Giữ lại", "wish": "mai", "file": (io.BytesIO(b"%PDF-1"), "tin.pdf")}
    )
    assert bad.status_code == 422
    assert 'value="Giữ lại"' in bad.text
    assert client.post(where, data={"title": "Trống"}).status_code == 422


def test_a_stopped_or_wrong_link_opens_nothing_and_a_leaked_one_cannot_fill_the_disk(world: Any) -> None:
    where = unit(world)
    client = world.app.test_client()
    with world.db.writing(station_id=world.made.station) as session:
        row = session.scalars(select(Contributor).order_by(Contributor.id)).all()[-1]
        session.add_all(
            Contribution(
                station_id=row.station_id, contributor_id=row.id, title="Bài", text="chữ", received_at=NOW
            )
            for _ in range(MOST_WAITING)
        )
        contributor_id = row.id
    assert client.post(where, data=SENT).status_code == 422
    officer = world.browser("canbo")
    officer.get("/don-vi")
    officer.post(f"/don-vi/{contributor_id}/doi-lien-ket", {"do": "stop"})
    assert client.get(where).status_code == 404
    assert client.get("/g/" + "a" * 26).status_code == 404
    assert client.get("/g/../etc").status_code == 404


# ------------------------------------------------------------------------------------ feedback


def test_a_listeners_word_reaches_the_officer_and_gets_an_answer(world: Any) -> None:
    client = world.app.test_client()
    sent = {
        "kind": "broken",
        "village": str(world.made.villages[1]),
        "text": "Loa rè.",
        "phone": "0912 345 678",
    }
    assert client.post("/gop-y/nhu-thanh", data=sent).status_code == 303
    officer = world.browser("canbo")
    shown = officer.get("/gop-y").text
    assert "Loa rè." in shown
    assert "Đồng Hơn" in shown
    (row,) = rows(world, Feedback)
    assert officer.post(f"/gop-y/so/{row.id}", {"state": "answered", "answer": ""}).status_code == 422
    officer.post(f"/gop-y/so/{row.id}", {"state": "answered", "answer": "Đã thay loa."})
    (row,) = rows(world, Feedback)
    assert (row.state, row.answer, row.text) == (FeedbackState.ANSWERED, "Đã thay loa.", "Loa rè.")


def test_a_village_reads_the_answer_on_its_own_page(world: Any) -> None:
    where = link(world) + "/gop-y"
    client = world.app.test_client()
    assert "Báo loa hỏng, góp ý với xã" in client.get(link(world)).text
    assert client.post(where, data={"kind": "question", "text": "Mai phát mấy giờ?"}).status_code == 303
    (row,) = rows(world, Feedback)
    assert (row.village_id, row.from_operator) == (world.made.villages[3], True)
    officer = world.browser("canbo")
    officer.get("/gop-y")
    officer.post(f"/gop-y/so/{row.id}", {"state": "answered", "answer": "5 giờ 30."})
    page = client.get(where)
    assert "5 giờ 30." in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert client.get("/t/" + "a" * 26 + "/gop-y").status_code == 404


def test_empty_long_foreign_and_robot_words_are_not_kept(world: Any) -> None:
    client = world.app.test_client()
    assert client.post("/gop-y/nhu-thanh", data={"text": "   "}).status_code == 422
    long = client.post("/gop-y/nhu-thanh", data={"text": "x" * 2001})
    assert long.status_code == 422
    assert "x" * 2001 in long.text
    assert client.post("/gop-y/nhu-thanh", data={"text": "a", "village": "999999"}).status_code == 422
    assert (
        client.post("/gop-y/nhu-thanh", data={"text": "mua ngay", "website": "http://spam"}).status_code
        == 303
    )
    assert rows(world, Feedback) == []


def test_one_address_cannot_flood_the_list(world: Any) -> None:
    client = world.app.test_client()
    codes = [client.post("/gop-y/nhu-thanh", data={"text": "loa hỏng"}).status_code for _ in range(7)]
    assert codes == [303] * 5 + [429] * 2


# ------------------------------------------------------------------------------------ villages to call


def called(world: Any) -> dict[str, Any]:
    with world.db.reading(station_id=world.made.station) as session:
        return {row.village.name: row for row in to_call(session, TODAY, now=world.clock.now)}


def test_the_list_names_who_is_late_who_could_not_and_leaves_out_who_answered(world: Any) -> None:
    found = called(world)
    assert "Đồng Lớn" not in found
    assert [reason for _, reason in found["Xuân Phong"].failed] == ["Mất điện"]
    assert [line.airing_id for line in found["Bến Sung"].not_confirmed] == [world.made.morning]
    assert not found["Bến Sung"].not_fetched
    world.clock.now = at("16:00")
    assert [line.airing_id for line in called(world)["Đồng Lớn"].not_fetched] == [world.made.evening]


def test_a_village_whose_own_box_played_needs_nobody_to_confirm_and_a_silent_box_is_named(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        box = add_receiver(
            session,
            station_id=world.made.station,
            name="Cụm loa Bến Sung",
            village_ids=[world.made.villages[4]],
            now=NOW,
        )
        issue_token(box)
        box.last_seen_at = NOW
        session.add(
            AsRun(
                receiver_id=box.id, sequence=1, airing_id=world.made.morning, event=AsRunEvent.FINISHED, at=NOW,
                received_at=NOW,
            )
        )  # fmt: skip
    assert "Bến Sung" not in called(world)
    world.clock.now = NOW + timedelta(minutes=20)
    assert [box.name for box in called(world)["Bến Sung"].silent] == ["Cụm loa Bến Sung"]


def test_the_reminder_carries_the_villages_own_link_ready_for_zalo(world: Any) -> None:
    page = world.browser("canbo").get("/thon/can-goi").text
    assert "bấm “Đã phát xong” cho buổi 05:30 ngày 24/11" in page
    assert "https://loa.example.vn/t/" in page


# ------------------------------------------------------------------------------------ the list of villages


def table(*lines: str, code: str = "utf-8") -> bytes:
    return "\r\n".join(lines).encode(code)


@pytest.mark.parametrize(
    "data",
    [
        table("Tên thôn;Người phụ trách;Điện thoại", "Thôn Mới;Lê Văn Bảy;0912000101"),
        table("\ufeffTên thôn,Người phụ trách,Điện thoại", '"Thôn Mới",Lê Văn Bảy,0912000101'),
        table("TÊN THÔN\tTrưởng thôn\tSĐT", "Thôn Mới\tLê Văn Bảy\t0912000101", code="utf-16"),
        table("slug,name,kind,operator,phone,population", "thon-moi,Thôn Mới,thôn,Lê Văn Bảy,0912000101,40"),
    ],
)
def test_lists_of_all_kinds_give_the_same_rows(data: bytes) -> None:
    read, errors = read_list(data, "thon.csv")
    assert errors == []
    assert [(row.slug, row.name, row.operator, row.phone) for row in read] == [
        ("thon-moi", "Thôn Mới", "Lê Văn Bảy", "0912000101")
    ]


def test_a_workbook_is_read_and_a_number_gets_its_zero_back() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Tên thôn", "Người phụ trách", "Điện thoại"])
    sheet.append(["Thôn Mới", "Lê Văn Bảy", 912000101])
    file = io.BytesIO()
    book.save(file)
    read, errors = read_list(file.getvalue(), "thon.xlsx")
    assert (errors, read[0].phone) == ([], "0912000101")


def test_every_wrong_row_is_named_and_nothing_is_changed(world: Any) -> None:
    browser = world.browser("canbo")
    browser.get("/thon/nhap")
    data = table(
        "Tên thôn;Điện thoại", "Thôn A;0912000101", ";0912", "Thôn B;mười", "thôn a;0912000103", "Thôn B;"
    )
    answer = browser.post("/thon/nhap", {"file": (io.BytesIO(data), "thon.csv")})
    assert answer.status_code == 422
    for sentence in (
        "thiếu tên thôn",
        "số điện thoại “mười” không đúng",
        "trùng với dòng 2",
        "trùng với dòng 4",
        "Có 4 dòng chưa đúng",
    ):
        assert sentence in answer.text
    assert len(rows(world, Village)) == 5


def test_a_good_list_adds_and_corrects_and_takes_none_away(world: Any) -> None:
    browser = world.browser("canbo")
    sample = browser.get("/thon/mau.csv")
    assert sample.data.startswith(b"\xef\xbb\xbf")
    assert (
        openpyxl.load_workbook(io.BytesIO(browser.get("/thon/mau.xlsx").data)).active["A1"].value
        == "Tên thôn"
    )
    browser.get("/thon/nhap")
    data = table("Tên thôn;Người phụ trách;Điện thoại", "dong lon;Bà Cúc;", "Thôn Mới;;0912000109")
    assert browser.post("/thon/nhap", {"file": (io.BytesIO(data), "thon.csv")}).status_code == 303
    found = rows(world, Village)
    assert len(found) == 6
    assert (found[0].operator_name, found[0].operator_phone) == ("Bà Cúc", "0912 000 111")
    assert (found[-1].slug, found[-1].position) == ("thon-moi", 5)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 hong", b"\x00\x01\x02", "Ghi chú\nx".encode()])
def test_what_is_no_list_is_refused(world: Any, data: bytes) -> None:
    browser = world.browser("canbo")
    browser.get("/thon/nhap")
    assert browser.post("/thon/nhap", {"file": (io.BytesIO(data), "x.csv")}).status_code == 422


# ------------------------------------------------------------------------------------ sticks


def test_a_villages_stick_comes_as_a_file_that_can_be_resumed(world: Any) -> None:
    sha256 = world.app.extensions["broadcaster"].blobs.put(flac(), suffix="mp3")
    with world.db.writing() as session:
        for rendition in session.scalars(select(Rendition).where(Rendition.kind == RenditionKind.AIR)):
            rendition.sha256 = sha256
    browser = world.browser("canbo")
    where = f"/thon/{world.made.villages[0]}/usb.zip"
    whole = browser.get(where)
    names = zipfile.ZipFile(io.BytesIO(whole.data)).namelist()
    assert names[0].startswith("01-20261124-0530-")
    assert names[-2:] == ["danh-sach.html", "SHA256SUMS.txt"]
    rest = browser.get(where, headers={"Range": "bytes=50-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, whole.data[:50] + rest.data) == (206, whole.data)
    assert browser.get("/thon/999999/usb.zip").status_code == 404
