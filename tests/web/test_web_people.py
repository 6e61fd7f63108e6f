"""Accounts, one's own account, delegation, notices: each through the pages people use."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from broadcaster.model import Role
from broadcaster.newsroom.notices import PATHS
from broadcaster.store.tables import Audit, Delegation, Notice, User
from tests.support.web_station import PASSWORD

NEW = "con trâu ăn cỏ đồng xa"


def person(world: Any, username: str) -> User:
    with world.db.reading() as session:
        return session.scalars(select(User).where(User.username == username)).one()


def book(world: Any, action: str) -> list[dict[str, Any]]:
    with world.db.reading() as session:
        return [row.detail for row in session.scalars(select(Audit).where(Audit.action == action))]


def test_an_administrator_adds_somebody_who_signs_in_with_the_password_shown_once(world: Any) -> None:
    admin = world.browser("quantri")
    admin.get("/tai-khoan/moi")
    page = admin.post(
        "/tai-khoan",
        {"display_name": "Đỗ Ngọc Ánh", "username": "Anh.Do", "role": "author", "email": "anh@xa.example.vn"},
    )
    assert page.status_code == 200
    password = re.search(r'class="code">([^<]+)<', page.text).group(1)
    assert password not in admin.get("/tai-khoan").text
    assert "Đỗ Ngọc Ánh" in admin.get("/tai-khoan?tim=do ngoc anh").text
    newcomer = world.browser()
    newcomer.sign_in("anh.do", password)
    assert "Đỗ Ngọc Ánh" in newcomer.get("/").text


def test_a_refused_account_keeps_what_was_typed(world: Any) -> None:
    admin = world.browser("quantri")
    admin.get("/tai-khoan/moi")
    form = {"display_name": "Đỗ Ngọc Ánh", "username": "canbo", "role": "approver", "email": ""}
    for change, sentence in (
        ({}, "đã có người dùng"),
        ({"username": "tên có dấu"}, "không dùng được"),
        ({"email": "khong-phai-thu"}, "không phải địa chỉ thư"),
        ({"display_name": "á" * 300}, "không quá 120 ký tự"),
        ({"role": "vua"}, "Hãy chọn vai trò"),
    ):
        answer = admin.post("/tai-khoan", form | change)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert f'value="{(form | change)["username"]}"' in answer.text
    assert 'value="approver" checked' in admin.post("/tai-khoan", form).text


def test_changing_a_role_is_at_once_and_the_book_says_what_it_was(world: Any) -> None:
    admin, author = world.browser("quantri"), world.browser("canbo")
    assert author.get("/may-thu").status_code == 200
    user = person(world, "canbo")
    admin.get(f"/tai-khoan/{user.id}")
    form = {"display_name": "Lê Thị Hoa", "role": "technician", "email": ""}
    assert admin.post(f"/tai-khoan/{user.id}", form).status_code == 303
    assert author.get("/ban-tin/moi").status_code == 403
    assert {"role": "author"}.items() <= book(world, "sửa tài khoản")[-1]["before"].items()
    page = admin.get("/nhat-ky/thay-doi?viec=sửa tài khoản").text
    assert "<del>người soạn</del>" in page
    assert "<ins>kỹ thuật</ins>" in page


def test_the_last_administrator_can_neither_be_closed_nor_become_something_else(world: Any) -> None:
    admin = world.browser("quantri")
    user = person(world, "quantri")
    admin.get(f"/tai-khoan/{user.id}")
    assert "quản trị viên duy nhất" in admin.post(f"/tai-khoan/{user.id}/khoa").text
    answer = admin.post(f"/tai-khoan/{user.id}", {"display_name": "Hà", "role": "author", "email": ""})
    assert answer.status_code == 422
    assert person(world, "quantri").role is Role.ADMINISTRATOR


def test_a_closed_account_is_out_at_once_and_comes_back_when_opened(world: Any) -> None:
    admin, author = world.browser("quantri"), world.browser("canbo")
    user = person(world, "canbo")
    admin.get(f"/tai-khoan/{user.id}")
    assert admin.post(f"/tai-khoan/{user.id}/khoa").status_code == 303
    assert author.get("/").status_code == 303
    assert "Đã khóa" in admin.get("/tai-khoan").text
    assert admin.post(f"/tai-khoan/{user.id}/mo").status_code == 303
    world.browser("canbo")


def test_a_reset_password_is_shown_once_and_signs_the_person_out(world: Any) -> None:
    admin, author = world.browser("quantri"), world.browser("canbo")
    user = person(world, "canbo")
    admin.get(f"/tai-khoan/{user.id}")
    page = admin.post(f"/tai-khoan/{user.id}/mat-khau").text
    assert author.get("/").status_code == 303
    world.browser().sign_in("canbo", re.search(r'class="code">([^<]+)<', page).group(1))


def test_changing_ones_own_password_keeps_this_browser_and_signs_out_the_others(world: Any) -> None:
    here, there = world.browser("canbo"), world.browser("canbo")
    here.get("/tai-khoan-cua-toi")
    form = {"old": PASSWORD, "new": NEW, "again": NEW}
    for change, sentence in (
        ({"old": "sai"}, "Mật khẩu đang dùng chưa đúng"),
        ({"again": NEW + "!"}, "không giống nhau"),
        ({"new": "ngắn", "again": "ngắn"}, "ít nhất 10 ký tự"),
        ({"new": PASSWORD, "again": PASSWORD}, "trùng mật khẩu"),
        ({"new": "toi la canbo day", "again": "toi la canbo day"}, "không được chứa tên đăng nhập"),
    ):
        answer = here.post("/tai-khoan-cua-toi/mat-khau", form | change)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert NEW not in answer.text
    assert here.post("/tai-khoan-cua-toi/mat-khau", form).status_code == 303
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    world.browser().sign_in("canbo", NEW)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(world: Any) -> None:
    browser = world.browser("canbo")
    copy = browser.client.get_cookie("dai").value
    browser.post("/dang-xuat")
    thief = world.app.test_client()
    thief.set_cookie("dai", copy)
    assert thief.get("/").status_code == 303


def test_signing_out_elsewhere_leaves_this_browser_and_shows_where_one_was(world: Any) -> None:
    here, there = world.browser("canbo"), world.browser("canbo")
    page = here.get("/tai-khoan-cua-toi").text
    assert "Máy này" in page
    assert "Chưa đăng xuất" in page
    assert here.post("/tai-khoan-cua-toi/dang-xuat-noi-khac").status_code == 303
    assert there.get("/").status_code == 303
    assert here.get("/").status_code == 200


def test_an_approver_hands_over_for_some_days_and_the_other_is_told_and_may_approve(world: Any) -> None:
    approver, technician = world.browser("lanhdao"), world.browser("kythuat")
    assert technician.get("/duyet").status_code == 403
    approver.get("/uy-quyen")
    form = {"person": str(world.made.users["kythuat"]), "first": "24/11/2026", "last": "25/11/2026"}
    for change, sentence in (
        ({"last": "23/11/2026"}, "đã qua rồi"),
        ({"person": ""}, "Hãy chọn người"),
        ({"first": "hôm nay"}, "Ngày chưa đúng"),
        ({"last": "24/11/2027"}, "dài nhất 92 ngày"),
    ):
        answer = approver.post("/uy-quyen", form | change)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert approver.post("/uy-quyen", form).status_code == 303
    assert technician.get("/duyet").status_code == 200
    assert "ủy quyền cho bạn duyệt bản tin từ 24/11/2026" in technician.get("/thong-bao").text
    with world.db.reading() as session:
        row = session.scalars(select(Delegation)).one()
    assert "Đang hiệu lực" in approver.get("/uy-quyen").text
    assert approver.post(f"/uy-quyen/{row.id}/thu-lai").status_code == 303
    assert technician.get("/duyet").status_code == 403


def test_a_notice_counts_until_it_is_opened_and_leads_to_its_page(world: Any) -> None:
    approver = world.browser("lanhdao")
    page = approver.get("/thong-bao").text
    assert "Lê Thị Hoa gửi duyệt “Phòng cháy rừng mùa hanh khô”." in page
    assert 'class="count">1<' in page.replace("\n", "")
    with world.db.reading() as session:
        row = session.scalars(
            select(Notice).where(Notice.read_at.is_(None), Notice.user_id == world.made.users["lanhdao"])
        ).one()
    answer = approver.post(f"/thong-bao/{row.id}")
    assert answer.location == f"/duyet/{world.made.waiting_revision}"
    assert 'class="bell"' in page
    assert "chưa xem" not in approver.get("/").text
    stranger = world.browser("canbo")
    assert stranger.post(f"/thong-bao/{row.id}").status_code == 404


def test_the_author_reads_what_became_of_it_and_has_a_text_ready_to_send(world: Any) -> None:
    author = world.browser("canbo")
    page = author.get("/thong-bao").text
    assert "trả lại “Lịch tiêm phòng”. Lý do: Sai số liệu. Xem lại ngày tiêm." in page
    assert "[Xã Đồng Lớn] Có bản tin chờ duyệt. Lê Thị Hoa gửi duyệt “Phòng cháy rừng mùa hanh khô”." in page
    assert f"https://loa.example.vn/duyet/{world.made.waiting_revision}" in page
    assert author.post("/thong-bao").status_code == 303
    assert "chưa xem" not in author.get("/").text


def test_every_page_that_a_notice_names_exists(world: Any) -> None:
    adapter = world.app.url_map.bind("localhost")
    for path in PATHS.values():
        adapter.match(path.format(7), method="GET")
