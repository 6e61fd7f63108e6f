"""A session that ended in the middle of a long text: after signing in, all of it is there."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.store.tables import Bulletin
from tests.support.web_station import PASSWORD
from web.carried import unpacked

LONG = "Kính thưa bà con. " + "Sáng mai các thôn dọn vệ sinh đường làng. " * 60


def form_of(world: Any, text: str) -> dict[str, str]:
    with world.db.reading() as session:
        row = session.get_one(Bulletin, world.made.draft)
        return {
            "title": row.title,
            "text": text,
            "version": str(row.version),
            "priority": "priority",
            "do": "save",
        }


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def draft(world: Any) -> str:
    with world.db.reading() as session:
        return session.get_one(Bulletin, world.made.draft).draft_text


def test_a_text_that_came_after_the_session_ended_is_saved_after_signing_in(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    form = form_of(world, LONG)
    world.clock.now += timedelta(hours=2)
    late = author.post(url, form)
    assert late.status_code == 401
    assert draft(world) != LONG
    carried = hidden(late.text, "carried")
    author.get("/dang-nhap")
    wrong = author.post(
        "/dang-nhap", {"username": "canbo", "password": "sai mật khẩu rồi", "carried": carried}
    )
    assert wrong.status_code == 422
    assert hidden(wrong.text, "carried") == carried  # a slip in the password loses nothing either
    back = author.post("/dang-nhap", {"username": "canbo", "password": PASSWORD, "carried": carried})
    assert back.status_code == 200
    assert f'action="{url}"' in back.text
    assert LONG.strip() in back.text
    assert hidden(back.text, "priority") == "priority"
    author.token = hidden(back.text, "csrf_token")
    assert author.post(url, form).status_code == 303
    assert draft(world) == LONG.strip()


def test_a_page_that_was_open_through_another_sign_in_goes_on_with_one_press(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    author.token = "of-a-session-that-is-gone"
    late = author.post(url, form_of(world, LONG))
    assert late.status_code == 400
    assert "Chữ bạn gõ vẫn còn đủ" in late.text
    author.token = hidden(late.text, "csrf_token")
    assert author.post(url, form_of(world, LONG)).status_code == 303
    assert draft(world) == LONG.strip()


def test_a_new_bulletin_is_carried_too_and_its_file_is_asked_for_again(world: Any) -> None:
    import io

    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    world.clock.now += timedelta(hours=2)
    late = author.post(
        "/ban-tin", {"text": LONG, "title": "Dọn vệ sinh", "file": (io.BytesIO(b"chu"), "a.txt")}
    )
    carried = hidden(late.text, "carried")
    author.get("/dang-nhap")
    back = author.post("/dang-nhap", {"username": "canbo", "password": PASSWORD, "carried": carried})
    assert "Tệp đã chọn không giữ lại được" in back.text
    author.token = hidden(back.text, "csrf_token")
    assert author.post("/ban-tin", {"text": LONG, "title": "Dọn vệ sinh"}).status_code == 303
    with world.db.reading() as session:
        assert session.scalars(select(Bulletin).where(Bulletin.title == "Dọn vệ sinh")).one()


def test_what_another_site_sends_is_not_carried(world: Any) -> None:
    author = world.browser("canbo")
    world.clock.now += timedelta(hours=2)
    answer = author.post(
        f"/ban-tin/{world.made.draft}", form_of(world, LONG), headers={"Origin": "https://la.example"}
    )
    assert answer.status_code == 401
    assert "carried" not in answer.text


@pytest.mark.parametrize(
    "packed",
    ["", "không phải json", "[]", '["https://la.example/x", [], false]', '["//la.example", [], false]',
     '["/ban-tin/1", [["text"]], false]', "3", '{"path": "/"}'],
)  # fmt: skip
def test_only_what_is_ours_is_unpacked(packed: str) -> None:
    assert unpacked(packed) is None


def test_an_autosave_that_came_too_late_says_so_to_the_script(world: Any) -> None:
    author = world.browser("canbo")
    url = f"/ban-tin/{world.made.draft}"
    author.get(url)
    world.clock.now += timedelta(hours=2)
    answer = author.post(url, form_of(world, LONG), headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert "carried" not in answer.text


def test_a_pasted_document_without_a_title_is_named_by_its_subject_and_not_by_its_letterhead(
    world: Any,
) -> None:
    author = world.browser("canbo")
    author.get("/ban-tin/moi")
    text = (
        "ỦY BAN NHÂN DÂN\nXÃ NHƯ THANH\nSố: 152/TB-UBND\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"
        "Độc lập - Tự do - Hạnh phúc\nNhư Thanh, ngày 26 tháng 11 năm 2026\n\nTHÔNG BÁO\n"
        "Về việc tiêm phòng dại cho chó, mèo\n\n1. Thời gian: từ 7h30."
    )
    assert author.post("/ban-tin", {"text": text}).status_code == 303
    with world.db.reading(station_id=world.made.station) as session:
        newest = session.scalars(select(Bulletin).order_by(Bulletin.id.desc())).first()
        assert newest.title == "Thông báo: tiêm phòng dại cho chó, mèo"
