"""Compose in depth: alternatives, trying, taking back, a place on the air, the page before sending, undo."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from broadcaster.model import BulletinState
from broadcaster.newsroom.bulletins import create_bulletin, reading_of
from broadcaster.newsroom.templates import add_template, approve_template
from broadcaster.production.template import Template, template_data
from broadcaster.schedule.plan import airing_of
from broadcaster.store.tables import Airing, Bulletin, RenderJob, User
from tests.support.web_station import NOW, SHORT
from web.answers import Given, answers_in, left_in

HX = {"HX-Request": "true"}
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "Chào 😀👨‍👩‍👧 bà con",
    "Chữ \u202eđảo\u202c và \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "{{ 7*7 }} {% raw %} ' \" &amp; </textarea></form>",
)


def new_bulletin(world: Any, text: str, title: str = "Tin mới") -> int:
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        row = create_bulletin(
            session, station_id=world.made.station, author=author, title=title, text=text, now=NOW
        )
        return row.id


def form_of(world: Any, bulletin_id: int, **changes: str) -> dict[str, str]:
    with world.db.reading() as session:
        row = session.get_one(Bulletin, bulletin_id)
        fields = {"title": row.title, "text": row.draft_text, "version": str(row.version)}
    return fields | {"priority": "routine"} | changes


def fields_of(page: str, written: str) -> tuple[str, dict[str, str]]:
    """Number and fields of the answer for what is written so."""
    found = re.search(rf'name="a(\d+)-written" value="{re.escape(html.escape(written))}"', page)
    assert found is not None, f"no field for {written}"
    number = found[1]
    fields = re.findall(rf'name="(a{number}-[a-z0-9]+)"[^>]*? ?value="([^"]*)"', page)
    return number, {name: html.unescape(value) for name, value in fields}


def spoken(world: Any, bulletin_id: int) -> str:
    with world.db.reading(station_id=world.made.station) as session:
        return reading_of(session, session.get_one(Bulletin, bulletin_id)).spoken


# ------------------------------------------------------------------------------------------- readings


def test_a_change_names_its_rule_and_another_reading_is_one_press(world: Any) -> None:
    bulletin_id = new_bulletin(world, "Họp lúc 19h30 tại nhà văn hóa.")
    author = world.browser("canbo")
    page = author.get(f"/ban-tin/{bulletin_id}").text
    assert "“19h30” đọc là" in page
    assert '<span class="hint inline">giờ</span>' in page
    number, fields = fields_of(page, "19h30")
    assert fields[f"a{number}-alt0"] == "mười chín giờ rưỡi"
    sent = author.post(f"/ban-tin/{bulletin_id}", form_of(world, bulletin_id, do=f"pick-{number}-0") | fields)
    assert sent.status_code == 303
    assert "mười chín giờ rưỡi" in spoken(world, bulletin_id)


def test_an_answer_is_taken_back_and_the_rule_reads_again(world: Any) -> None:
    bulletin_id = new_bulletin(world, "Họp lúc 19h30. Tổ CNSCD dự.")
    author = world.browser("canbo")
    url = f"/ban-tin/{bulletin_id}"
    number, fields = fields_of(author.get(url).text, "19h30")
    author.post(url, form_of(world, bulletin_id, do=f"pick-{number}-0") | fields)
    number, fields = fields_of(author.get(url).text, "CNSCD")
    fields |= {f"a{number}-spoken": "tổ công nghệ", f"a{number}-scope": "bulletin"}
    author.post(url, form_of(world, bulletin_id, do=f"answer-{number}") | fields)
    page = author.get(url).text
    assert "Cách đọc đã sửa trong bản tin này (2)" in page
    kept = dict(re.findall(r'name="(f\d-(?:key|entry))" value="([^"]*)"', page))
    author.post(url, form_of(world, bulletin_id, do="forget-1") | kept)
    assert "mười chín giờ ba mươi phút" in spoken(world, bulletin_id)
    page = author.get(url).text
    kept = dict(re.findall(r'name="(f\d-(?:key|entry))" value="([^"]*)"', page))
    author.post(url, form_of(world, bulletin_id, do="forget-1") | kept)
    assert "tổ công nghệ" not in spoken(world, bulletin_id)
    assert "Cách đọc đã sửa" not in author.get(url).text


@pytest.mark.parametrize("scope", ["place", "bulletin", "station"])
def test_an_answer_is_heard_in_its_sentence_before_it_is_kept(world: Any, scope: str) -> None:
    bulletin_id = new_bulletin(world, "Câu đầu. Họp lúc 19h30 tối nay.")
    author = world.browser("canbo")
    url = f"/ban-tin/{bulletin_id}"
    number, fields = fields_of(author.get(url).text, "19h30")
    fields |= {f"a{number}-spoken": "bảy rưỡi tối", f"a{number}-scope": scope}
    answer = author.post(url, form_of(world, bulletin_id, do=f"try-{number}") | fields, headers=HX)
    assert answer.status_code == 303
    with world.db.reading() as session:
        job = session.get_one(RenderJob, int(answer.location.rsplit("/", 1)[1]))
        assert job.payload["sentences"] == [["Họp lúc bảy rưỡi tối tối nay.", "paragraph"]]
        assert session.get_one(Bulletin, bulletin_id).draft_answers == {}
    assert "bảy rưỡi tối" not in spoken(world, bulletin_id)
    refused = author.post(
        url, form_of(world, bulletin_id, do=f"try-{number}") | fields | {f"a{number}-spoken": " "}, headers=HX
    )
    assert refused.status_code == 422
    assert "Chưa có cách đọc" in refused.text


def test_what_saves_itself_keeps_no_half_answer_but_leaves_it_in_its_field(world: Any) -> None:
    bulletin_id = new_bulletin(world, "Họp lúc 19h30 tối nay.")
    author = world.browser("canbo")
    url = f"/ban-tin/{bulletin_id}"
    number, fields = fields_of(author.get(url).text, "19h30")
    fields |= {f"a{number}-spoken": "bảy r"}
    answer = author.post(url, form_of(world, bulletin_id, text="Họp lúc 19h30.") | fields, headers=HX)
    assert answer.status_code == 200
    assert 'value="bảy r"' in answer.text
    assert "mười chín giờ ba mươi phút" in spoken(world, bulletin_id)


def test_the_parts_of_the_form_are_read_without_the_page() -> None:
    typed = {
        "a1-key": "k", "a1-written": "19h30", "a1-was": "x", "a1-spoken": "x", "a1-alt0": "y", "a1-alt1": "z",
        "a1-scope": "bulletin",
    }  # fmt: skip
    assert answers_in(typed) == []
    assert answers_in(typed, wanted="pick", number="1-1") == [Given("k", "19h30", "z", "bulletin")]
    assert left_in(typed)["k"].scope == "bulletin"


# ------------------------------------------------------------------------------------------- on the air


def test_a_bulletin_finds_its_airing_from_where_it_is_written_and_leaves_it_again(world: Any) -> None:
    bulletin_id = new_bulletin(world, SHORT)
    author = world.browser("canbo")
    url = f"/ban-tin/{bulletin_id}"
    page = author.get(url).text
    assert f'value="place-{world.made.tomorrow}"' in page
    assert "Buổi gần nhất chưa có bản tin nào." in page
    part = author.post(url, form_of(world, bulletin_id, do=f"place-{world.made.tomorrow}"), headers=HX)
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<section id="phat-khi-nao"')
    assert f'value="unplace-{world.made.tomorrow}"' in part.text
    assert "Phải được duyệt trước 05:00 cùng ngày" in part.text
    with world.db.reading(station_id=world.made.station) as session:
        assert [item.bulletin_id for item in airing_of(session, world.made.tomorrow).items] == [bulletin_id]
    back = author.post(url, form_of(world, bulletin_id, do=f"unplace-{world.made.tomorrow}"))
    assert back.location.endswith("#phat-khi-nao")
    with world.db.reading(station_id=world.made.station) as session:
        assert airing_of(session, world.made.tomorrow).items == ()


def test_a_bulletin_that_is_too_long_is_said_to_be_so_with_both_lengths(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        session.get_one(Airing, world.made.tomorrow).max_minutes = 2
    long = "Bà con chú ý nghe và làm theo hướng dẫn của trạm y tế. " * 60
    bulletin_id = new_bulletin(world, long)
    author = world.browser("canbo")
    page = author.get(f"/ban-tin/{bulletin_id}").text
    assert re.search(r"Không đủ chỗ</span> Bản tin 4:\d\d, khung còn 1:15", page)
    refused = author.post(
        f"/ban-tin/{bulletin_id}", form_of(world, bulletin_id, do=f"place-{world.made.tomorrow}"), headers=HX
    )
    assert refused.status_code == 422
    assert "quá 2 phút của khung giờ" in refused.text


def test_the_running_order_shows_the_jingles_around_it(world: Any) -> None:
    with world.db.writing(station_id=world.made.station) as session:
        author = session.get_one(User, world.made.users["canbo"])
        added = add_template(
            session, station_id=world.made.station, name="thuong", body=template_data(Template()),
            author=author, now=NOW,
        )  # fmt: skip
        approve_template(session, added.id, actor=session.get_one(User, world.made.users["lanhdao"]), now=NOW)
    page = world.browser("canbo").get(f"/ban-tin/{world.made.approved}").text
    order = re.findall(
        r'<li class="(jingle|words|item)( mine)?"><span class="soft">([\d:]+)</span> ([^<]+)', page
    )
    assert [(kind, bool(mine), what.strip()) for kind, mine, _, what in order] == [
        ("jingle", False, "Nhạc mở đầu"), ("words", False, "Lời xướng"), ("words", False, "Lời chào"), ("words", False, "Tóm tắt"),
        ("item", True, "Bình dân học vụ số"), ("item", False, "Phòng cháy rừng mùa hanh khô"),
        ("words", False, "Lời kết"),
    ]  # fmt: skip


def test_somebody_who_may_not_schedule_sees_where_it_airs_and_no_button(world: Any) -> None:
    page = world.browser("lanhdao").get(f"/ban-tin/{world.made.approved}").text
    assert "17:00 <span" in page
    assert "unplace-" not in page
    assert 'value="place-' not in page


# ------------------------------------------------------------------------------------------- sending


def test_nothing_is_looked_at_before_every_question_is_answered(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    refused = author.post(url, form_of(world, world.made.draft, do="check"))
    assert refused.status_code == 422
    assert "Còn 1 chỗ chưa rõ cách đọc" in refused.text
    page = author.get(url + "/xem-lai").text
    assert "Quay lại trả lời" in page
    assert "Gửi duyệt</button>" not in page
    assert author.post(url + "/gui", {"version": "1"}).status_code == 422


def test_the_page_before_sending_says_all_and_sends_with_its_airing(world: Any) -> None:
    bulletin_id = new_bulletin(world, "Kính thưa bà con. Họp lúc 19h30 ngày 29/11/2026.", "Họp thôn")
    author = world.browser("canbo")
    url = f"/ban-tin/{bulletin_id}"
    author.get(url)
    sent = author.post(url, form_of(world, bulletin_id, do="check", voice="kokoro:nam-1", speed="0.9"))
    assert sent.location.endswith("/xem-lai")
    page = author.get(sent.location).text
    assert "giọng máy nam (thử nghiệm), tốc độ 0,90" in page
    assert "Nguyễn Văn Minh, Phạm Thu Hà" in page
    assert "2 chỗ đọc khác chữ viết" in page
    with world.db.reading() as session:
        version = session.get_one(Bulletin, bulletin_id).version
    done = author.post(url + "/gui", {"version": str(version), "xep": world.made.tomorrow})
    assert done.status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        row = session.get_one(Bulletin, bulletin_id)
        assert row.state is BulletinState.SUBMITTED
        assert (row.revisions[-1].voice, row.revisions[-1].speed) == ("kokoro:nam-1", 0.9)
        assert [item.bulletin_id for item in airing_of(session, world.made.tomorrow).items] == [bulletin_id]


def test_what_moved_since_it_was_looked_at_is_not_sent(world: Any) -> None:
    bulletin_id = new_bulletin(world, SHORT)
    author, other = world.browser("canbo"), world.browser("quantri")
    author.get(f"/ban-tin/{bulletin_id}/xem-lai")
    version = form_of(world, bulletin_id)["version"]
    other.get(f"/ban-tin/{bulletin_id}")
    other.post(f"/ban-tin/{bulletin_id}", form_of(world, bulletin_id, text=SHORT + " Thêm."))
    answer = author.post(f"/ban-tin/{bulletin_id}/gui", {"version": version})
    assert answer.status_code == 409
    assert "Thêm." in answer.text
    with world.db.reading() as session:
        assert session.get_one(Bulletin, bulletin_id).state is BulletinState.DRAFT


# ------------------------------------------------------------------------------------------- undo


def test_the_same_words_from_an_old_page_are_no_conflict(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, world.made.draft, text="Một bản mới.")
    assert author.post(url, form).status_code == 303
    assert author.post(url, form).status_code == 303
    assert author.post(url, form | {"text": "Bản khác."}).status_code == 409


def test_an_emptied_draft_comes_back_from_its_page(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    before = form_of(world, world.made.draft)["text"]
    author.post(url, form_of(world, world.made.draft, text="a"), headers=HX)
    page = author.get(url).text
    (link,) = re.findall(rf'href="({url}/nhap-cu/\d+)"', page)
    shown = author.get(link).text
    assert "Tổ CNSCD thôn sẽ đến từng hộ" in shown
    assert author.post(link, {"version": form_of(world, world.made.draft)["version"]}).status_code == 303
    assert form_of(world, world.made.draft)["text"] == before
    assert author.post(link, {"version": "1"}).status_code == 409


def test_an_old_bulletin_begins_a_new_one(world: Any) -> None:
    author = world.browser("canbo")
    author.get(f"/ban-tin/{world.made.approved}")
    made = author.post(f"/ban-tin/{world.made.approved}/soan-lai")
    assert made.status_code == 303
    page = author.get(made.location).text
    assert "Đã tạo bản nháp mới từ bản tin cũ" in page
    assert "39/KH-UBND" in page


def test_the_book_of_a_bulletin_names_people(world: Any) -> None:
    page = world.browser("canbo").get(f"/ban-tin/{world.made.approved}").text
    assert "Nguyễn Văn Minh duyệt phiên bản 1" in page


# ------------------------------------------------------------------------------------------- lists, fields


def test_the_list_counts_states_filters_and_pages(world: Any) -> None:
    for number in range(41):
        new_bulletin(world, SHORT, f"Tin số {number}")
    author = world.browser("canbo")
    page = author.get("/ban-tin").text
    assert "45 bản tin, trang 1/2" in page
    assert "Trang sau" in page
    assert "Tin số 0<" not in page
    assert "Tin số 0<" in author.get("/ban-tin?trang=2&tim=tin+so").text
    assert "17:00 hôm nay" in author.get("/ban-tin?trang_thai=approved").text
    assert "Không có bản tin nào khớp" in author.get("/ban-tin?chu_de=999").text
    assert "Không có bản tin nào khớp" in world.browser("quantri").get("/ban-tin?cua=toi").text
    assert "Bình dân học vụ số" in author.get("/ban-tin?tim=39%2Fkh").text  # the words of its text


def test_a_new_bulletin_is_written_for_the_airing_it_was_asked_for(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get(f"/ban-tin/moi?buoi={world.made.tomorrow}").text
    assert f'<option value="{world.made.tomorrow}" selected' in page
    made = author.post("/ban-tin", {"text": SHORT, "title": "Tin", "airing": world.made.tomorrow})
    assert "giữ chỗ trong buổi" in author.get(made.location).text
    with world.db.reading(station_id=world.made.station) as session:
        assert len(airing_of(session, world.made.tomorrow).items) == 1
    # An airing that cannot take it costs the place, never the text.
    made = author.post("/ban-tin", {"text": SHORT, "title": "Tin hai", "airing": world.made.morning})
    assert made.status_code == 303
    assert "nhưng chưa xếp được" in author.get(made.location).text


@pytest.mark.parametrize("evil", EVIL)
def test_whatever_is_typed_into_any_field_is_shown_as_text(world: Any, evil: str) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    made = author.post("/ban-tin", {"text": evil + ". Kính thưa bà con.", "title": evil})
    assert made.status_code == 303, made.text
    bulletin_id = int(made.location.rsplit("/", 1)[1])
    author.get(made.location)
    answer = {
        "a1-key": "",
        "a1-written": "bà con",
        "a1-was": "",
        "a1-spoken": f"bà con {evil}",
        "a1-scope": "bulletin",
    }
    author.post(made.location, form_of(world, bulletin_id, do="answer-1") | answer)
    author.post(made.location, form_of(world, bulletin_id, do="try-1") | answer | {"a1-spoken": evil + " x"})
    pages = [
        author.get(made.location),
        author.get(made.location + "/xem-lai"),
        author.get("/ban-tin"),
        author.get("/"),
    ]
    approver = world.browser("lanhdao")
    approver.get(f"/duyet/{world.made.waiting_revision}")
    pages.append(approver.post(f"/duyet/{world.made.waiting_revision}/tra-lai", {"reason": evil}))
    pages.append(author.get(f"/ban-tin/{world.made.waiting}"))
    for page in pages:
        assert page.status_code in (200, 303), page.text
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert page.text.count("</textarea>") <= page.text.count("<textarea")


def test_a_name_of_three_hundred_letters_is_kept_and_one_more_is_refused(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    assert author.post("/ban-tin", {"text": SHORT, "title": "x" * 300}).status_code == 303
    refused = author.post("/ban-tin", {"text": SHORT, "title": "x" * 301})
    assert refused.status_code == 422
    assert "x" * 301 in refused.text
    assert SHORT in refused.text


def test_text_typed_beside_a_chosen_file_is_kept_behind_it(world: Any) -> None:
    import io

    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    made = author.post(
        "/ban-tin", {"file": (io.BytesIO("Nội dung tệp.".encode()), "tin.txt"), "text": "Đoạn đã gõ."}
    )
    bulletin_id = int(made.location.rsplit("/", 1)[1])
    assert form_of(world, bulletin_id)["text"] == "Nội dung tệp.\n\nĐoạn đã gõ."
    assert "được giữ ở cuối" in author.get(made.location).text
