"""From a pasted text to an approved bulletin, and what happens when something is in the way."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from docx import Document
from lxml import html
from sqlalchemy import select

from broadcaster.model import VERBATIM, BulletinState
from broadcaster.newsroom.bulletins import freeze_take, reading_of
from broadcaster.store.tables import Bulletin, LexiconEntry, RenderJob, Revision
from broadcaster.worker import Worker
from tests.support.web_station import NOW, SHORT
from web.answers import answers_in


def form_of(world: Any, bulletin_id: int, **changes: str) -> dict[str, str]:
    """The compose form as the page shows it."""
    with world.db.reading() as session:
        row = session.get_one(Bulletin, bulletin_id)
        return {
            "title": row.title,
            "text": row.draft_text,
            "version": str(row.version),
            "priority": "routine",
        } | changes


def bulletin(world: Any, bulletin_id: int) -> tuple[BulletinState, str, int]:
    """State, text, version."""
    with world.db.reading() as session:
        row = session.get_one(Bulletin, bulletin_id)
        return row.state, row.draft_text, row.version


def newest(world: Any, bulletin_id: int) -> int:
    with world.db.reading() as session:
        return session.scalars(
            select(Revision.id).where(Revision.bulletin_id == bulletin_id).order_by(Revision.number.desc())
        ).first()


def test_a_pasted_text_is_submitted_spoken_approved_and_said_to_be_approved(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    created = author.post("/ban-tin", {"text": SHORT, "title": "Cháy rừng", "priority": "priority"})
    assert created.status_code == 303
    page = author.get(created.location)
    assert "Cháy rừng" in page.text
    assert "xem lại rồi gửi" in page.text
    bulletin_id = int(created.location.rsplit("/", 1)[1])
    sent = author.post(created.location, form_of(world, bulletin_id, do="submit", priority="priority"))
    assert sent.status_code == 303
    assert bulletin(world, bulletin_id)[0] is BulletinState.SUBMITTED

    revision_id = newest(world, bulletin_id)
    approver = world.browser("lanhdao")
    unheard = approver.get(f"/duyet/{revision_id}")
    assert "Giọng đọc đang được dựng" in unheard.text
    assert "/duyet/" + str(revision_id) + "/duyet" not in unheard.text  # nothing to hear, nothing to approve
    with world.db.writing(station_id=world.made.station) as session:
        from broadcaster.model import Take

        freeze_take(
            session,
            revision_id,
            Take(world.made.sound, "silent", 1.0, 9000, ()),
            voice_label="giọng thử",
            now=NOW,
        )
    page = approver.get(f"/duyet/{revision_id}")
    hashes = {name: value_of(page.text, name) for name in ("text_sha256", "reading_sha256", "take_sha256")}
    done = approver.post(f"/duyet/{revision_id}/duyet", hashes)
    assert done.status_code == 303
    assert bulletin(world, bulletin_id)[0] is BulletinState.APPROVED
    assert "Đã duyệt “Cháy rừng”" in approver.get(done.location).text
    again = approver.post(f"/duyet/{revision_id}/duyet", hashes)
    assert again.status_code == 303  # a second tap is answered and decides nothing
    with world.db.reading() as session:
        assert len(session.get_one(Revision, revision_id).decisions) == 1
    assert "Đã duyệt" in author.get(f"/ban-tin/{bulletin_id}").text


def value_of(page: str, name: str) -> str:
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


def test_an_open_question_is_shown_marked_and_blocks_submission(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get(f"/ban-tin/{world.made.draft}").text
    assert '<mark class="ask"' in page
    assert "chưa biết đọc thế nào" in page
    assert 'value="check"' not in page
    refused = author.post(f"/ban-tin/{world.made.draft}", form_of(world, world.made.draft, do="submit"))
    assert refused.status_code == 422
    assert bulletin(world, world.made.draft)[0] is BulletinState.DRAFT


def test_an_answer_for_this_place_is_kept_and_frees_the_way(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    page = author.get(url).text
    key, written = value_of(page, "a1-key"), value_of(page, "a1-written")
    form = form_of(world, world.made.draft) | {
        "a1-key": key, "a1-written": written, "a1-was": "số", "a1-spoken": "số ba mươi chín", "a1-scope": "place",
        "do": "answer-1",
    }  # fmt: skip
    assert author.post(url, form).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        row = session.get_one(Bulletin, world.made.draft)
        result = reading_of(session, row)
        assert row.draft_answers[key] == "số ba mươi chín"
    assert not result.blocking
    assert "số ba mươi chín" in result.spoken
    assert 'value="check"' in author.get(url).text


def test_reading_as_written_is_an_answer_too(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    page = author.get(url).text
    form = form_of(world, world.made.draft) | {
        "a1-key": value_of(page, "a1-key"), "a1-written": value_of(page, "a1-written"), "a1-was": "số",
        "a1-spoken": "số", "a1-scope": "place", "do": "verbatim-1",
    }  # fmt: skip
    assert author.post(url, form).status_code == 303
    with world.db.reading() as session:
        assert VERBATIM in session.get_one(Bulletin, world.made.draft).draft_answers.values()


def test_an_answer_for_the_station_goes_into_its_dictionary(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, world.made.draft) | {
        "a9-written": "CNSCD", "a9-spoken": "tổ công nghệ số", "a9-scope": "station", "do": "save"
    }  # fmt: skip
    assert author.post(url, form).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        entry = session.scalars(select(LexiconEntry)).one()
        assert (entry.written, entry.spoken, entry.bulletin_id) == ("CNSCD", "tổ công nghệ số", None)
    assert "tổ công nghệ số" in author.get(url).text


@pytest.mark.parametrize("partial", [False, True], ids=["whole page", "a part of it"])
def test_a_word_for_every_bulletin_names_the_approved_ones_and_leaves_them_as_they_are(
    world: Any, partial: bool
) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, world.made.draft) | {
        "a1-key": "", "a1-written": "UBND", "a1-spoken": "ủy ban", "a1-scope": "station", "do": "answer-1"
    }  # fmt: skip
    answer = author.post(url, form, headers={"HX-Request": "true"} if partial else {})
    page = answer.text if partial else author.get(url).text
    assert "1 bản tin đã duyệt vẫn phát như đã duyệt: “Bình dân học vụ số”" in page
    with world.db.reading(station_id=world.made.station) as session:
        assert session.get_one(Bulletin, world.made.approved).state is BulletinState.APPROVED


def test_text_typed_beside_an_answer_is_saved_with_it(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, world.made.draft, text="Kính thưa bà con, họp lúc 8h.") | {
        "a1-key": "", "a1-written": "8h", "a1-was": "", "a1-spoken": "tám giờ sáng", "a1-scope": "bulletin",
        "do": "answer-1",
    }  # fmt: skip
    assert author.post(url, form).status_code == 303
    assert bulletin(world, world.made.draft)[1] == "Kính thưa bà con, họp lúc 8h."
    assert "tám giờ sáng" in author.get(url).text


def test_a_suggestion_that_nobody_touched_is_not_an_answer() -> None:
    untouched = {"a1-key": "k", "a1-written": "số:", "a1-was": "số", "a1-spoken": "số", "a1-scope": "place"}
    assert answers_in(untouched) == []
    assert [given.spoken for given in answers_in(untouched, wanted="answer", number="1")] == ["số"]
    assert [given.spoken for given in answers_in(untouched | {"a1-spoken": "số không"})] == ["số không"]


def test_while_somebody_types_the_draft_saves_itself_and_brings_the_reading_back(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, world.made.draft, text="Họp ngày 29/01/2026.")
    answer = author.post(url, form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "hai mươi chín tháng một" in answer.text
    assert "Đã lưu nháp lúc 08:00" in answer.text
    assert "<html" not in answer.text
    version = value_of(answer.text, "version")
    assert bulletin(world, world.made.draft)[1:] == ("Họp ngày 29/01/2026.", int(version))
    assert author.post(url, form | {"version": version}, headers={"HX-Request": "true"}).status_code == 200


def test_two_people_in_one_bulletin_lose_nothing(world: Any) -> None:
    first, second = world.browser("canbo"), world.browser("quantri")
    url = f"/ban-tin/{world.made.draft}"
    first.get(url)
    second.get(url)
    form = form_of(world, world.made.draft)
    assert first.post(url, form | {"text": "Bản của người thứ nhất."}).status_code == 303
    answer = second.post(url, form | {"text": "Bản của người thứ hai."})
    assert answer.status_code == 409
    assert "Bản của người thứ nhất." in answer.text
    assert "Bản của người thứ hai.</textarea>" in answer.text
    assert bulletin(world, world.made.draft)[1] == "Bản của người thứ nhất."
    # The page that refused carries the new version: pressing save again is a decision, and works.
    again = second.post(url, form | {"text": "Bản gộp.", "version": value_of(answer.text, "version")})
    assert again.status_code == 303
    assert bulletin(world, world.made.draft)[1] == "Bản gộp."


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script> & <b>đậm</b>",
        "Chào 😀 bà con",
        "Chữ \u202eđảo\u202c chiều",
        "x" * 300,
    ],
)
def test_whatever_is_typed_is_shown_as_text(world: Any, text: str) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    created = author.post("/ban-tin", {"text": text + ". Kính thưa bà con.", "title": text})
    assert created.status_code == 303, created.text
    for url in (created.location, "/ban-tin"):
        page = author.get(url).text
        assert "<script>alert" not in page
        assert "<b>đậm" not in page


def test_an_empty_text_is_refused_with_a_sentence(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    answer = author.post("/ban-tin", {"text": "  \n ", "title": "Trống"})
    assert answer.status_code == 422
    assert "Chưa có nội dung" in answer.text
    assert 'value="Trống"' in answer.text


def test_a_text_over_fifty_thousand_letters_is_refused_and_comes_back(world: Any) -> None:
    author = world.browser("canbo")
    author.get(f"/ban-tin/{world.made.draft}")
    long = "Bà con chú ý. " * 4000
    answer = author.post(f"/ban-tin/{world.made.draft}", form_of(world, world.made.draft, text=long))
    assert answer.status_code == 422
    assert "50.000" in answer.text or "50 000" in answer.text
    assert answer.text.count("Bà con chú ý. ") >= 4000
    assert bulletin(world, world.made.draft)[1] != long


def test_a_body_over_the_limit_is_refused_with_a_sentence(world: Any) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    body = b"csrf_token=" + author.token.encode() + b"&text=" + b"x" * 5_400_000
    answer = author.client.post("/ban-tin", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "lớn hơn 5 MB" in answer.text


def test_a_word_file_becomes_a_draft_with_its_notes(world: Any) -> None:
    document = Document()
    document.add_paragraph("THÔNG BÁO")
    document.add_paragraph("Về việc tiêm phòng cho đàn vật nuôi")
    document.add_paragraph("Kính thưa bà con. Ngày 29/11/2026, UBND xã tổ chức tiêm phòng.")
    file = io.BytesIO()
    document.save(file)
    file.seek(0)
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    created = author.post("/ban-tin", {"file": (file, "tiêm phòng.docx"), "text": ""})
    assert created.status_code == 303, created.text
    page = author.get(created.location).text
    assert "tiêm phòng.docx" in page
    assert "hai mươi chín tháng mười một" in page


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"PK\x03\x04 not a document", "gia.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "cu.doc"),
        (b"", "rong.txt"),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused_and_the_typed_title_stays(
    world: Any, data: bytes, name: str
) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    answer = author.post("/ban-tin", {"file": (io.BytesIO(data), name), "title": "Tên đã gõ", "text": ""})
    assert answer.status_code == 422
    assert 'value="Tên đã gõ"' in answer.text
    assert 'role="alert"' in answer.text


def test_the_sentence_beside_the_button_is_heard_though_the_text_has_grown_meanwhile(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    page = html.fromstring(author.get(url).text)
    (asked,) = [json.loads(one.get("hx-vals")) for one in page.xpath("//button[@id='nut-nghe-1']")]
    spoken = page.xpath("//article[@id='cau-1']//p[@class='spoken']")[0].text_content()
    with world.db.writing() as session:
        row = session.get_one(Bulletin, world.made.draft)
        row.draft_text = f"Một câu mới ở đầu. {row.draft_text}"
    job_id = int(author.post(url + "/nghe", asked).location.rsplit("/", 1)[1])
    with world.db.reading() as session:
        ((said, _pause),) = session.get_one(RenderJob, job_id).payload["sentences"]
    assert said == spoken
    job_id = int(author.post(url + "/nghe", {**asked, "loi": "gone"}).location.rsplit("/", 1)[1])
    with world.db.reading() as session:
        assert session.get_one(RenderJob, job_id).payload["sentences"][0][0] == "Một câu mới ở đầu."


def test_listening_asks_the_worker_and_waits_without_holding_a_thread(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.approved}"
    author.get(url)
    first = author.post(url + "/nghe", {"cau": "2"})
    assert first.status_code == 303
    waiting = author.get(first.location).text
    assert "Đang chờ máy dựng tiếng" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert author.post(url + "/nghe", {"cau": "2"}).location == first.location  # the same words are one job
    fragment = author.get(first.location, headers={"HX-Request": "true"}).text
    assert f'hx-get="{first.location}"' in fragment
    job_id = int(first.location.rsplit("/", 1)[1])
    with world.db.reading() as session:
        assert len(session.get_one(RenderJob, job_id).payload["sentences"]) == 1
    with Worker(world.settings, world.db, now=world.clock) as worker:
        done = worker.work_one(("preview",))
    assert done is not None
    assert done.id == job_id
    fragment = author.get(first.location, headers={"HX-Request": "true"}).text
    assert "hx-get" not in fragment
    assert "<audio" in fragment
    part = author.get(first.location + "/am-thanh", headers={"Range": "bytes=0-9"})
    assert part.status_code == 206
    assert part.data.startswith(b"fLaC")


def test_listening_from_the_form_saves_the_text_first(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    sent = author.post(url, form_of(world, world.made.draft, text="Câu một. Câu hai mới.", do="listen-2"))
    assert sent.status_code == 303
    with world.db.reading() as session:
        job = session.get_one(RenderJob, int(sent.location.rsplit("/", 1)[1]))
        assert job.payload["sentences"][0][0].lower().startswith("câu hai mới")


def test_the_list_is_searched_without_tone_marks_and_by_state(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/ban-tin?tim=chay rung").text
    assert "Phòng cháy rừng" in page
    assert "Bình dân học vụ số" not in page
    page = author.get("/ban-tin?trang_thai=approved").text
    assert "Bình dân học vụ số" in page
    assert "Phòng cháy rừng" not in page


def test_withdrawing_needs_a_reason_and_is_written_down(world: Any) -> None:
    approver = world.browser("lanhdao")
    url = f"/ban-tin/{world.made.approved}"
    approver.get(url)
    assert approver.post(url + "/rut", {"reason": " "}).status_code == 422
    assert approver.post(url + "/rut", {"reason": "Lịch đã đổi"}).status_code == 303
    assert bulletin(world, world.made.approved)[0] is BulletinState.WITHDRAWN
    assert "Lịch đã đổi" in approver.get(url).text


def test_a_whole_bulletin_is_heard_too(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.waiting}"
    author.get(url)
    sent = author.post(url + "/nghe")
    assert sent.status_code == 303
    with Worker(world.settings, world.db, now=world.clock) as worker:
        worker.work_off(("listen",))
    page = author.get(sent.location).text
    assert "<audio" in page
    assert "Nghe cả bài" in page
