"""The village's page: no account, no cookie, no script; twice is once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster.delivery.links import village_token
from broadcaster.model import ReceiptKind
from broadcaster.store.tables import Receipt, Village
from tests.support.web_station import NOW, at


def link(world: Any, number: int = 3, generation: int = 1) -> str:
    keys = world.app.extensions["broadcaster"].keys
    return f"/t/{village_token(keys.link_key, world.made.villages[number], generation)}"


def receipts(world: Any, number: int = 3) -> list[tuple[ReceiptKind, str, bool]]:
    with world.db.reading() as session:
        rows = session.scalars(select(Receipt).where(Receipt.village_id == world.made.villages[number]))
        return [(row.kind, row.reason, row.withdrawn_at is None) for row in rows]


def confirm(world: Any, data: dict[str, str], airing: str = "", number: int = 3) -> Any:
    client = world.app.test_client()
    return client.post(f"{link(world, number)}/buoi/{airing or world.made.morning}/xac-nhan", data=data)


def test_the_page_shows_today_with_both_files_and_needs_no_cookie_or_script(world: Any) -> None:
    answer = world.app.test_client().get(link(world))
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert 'name="robots" content="noindex"' in answer.text
    for word in (
        "Tổ dân phố 1",
        "Thứ Ba, 24/11/2026",
        "05:30",
        "17:00",
        "Bình dân học vụ số",
        "2,5 MB",
        "1,2 MB",
    ):
        assert word in answer.text
    assert "Phòng cháy rừng" not in answer.text  # not approved: villages hear of it when it is
    assert answer.text.count("main big") == 1


def test_confirming_twice_is_one_receipt(world: Any) -> None:
    for _ in range(2):
        assert confirm(world, {"kind": "played"}).status_code == 303
    assert receipts(world) == [(ReceiptKind.PLAYED, "", True)]
    assert "Xã đã nhận: đã phát" in world.app.test_client().get(link(world)).text


def test_a_wrong_tap_is_taken_back_and_may_be_given_again(world: Any) -> None:
    confirm(world, {"kind": "played"})
    client = world.app.test_client()
    client.post(f"{link(world)}/buoi/{world.made.morning}/hoan-tac", data={"kind": "played"})
    assert receipts(world) == [(ReceiptKind.PLAYED, "", False)]
    assert "Xã đã nhận" not in client.get(link(world)).text
    confirm(world, {"kind": "played"})
    assert receipts(world) == [(ReceiptKind.PLAYED, "", True)]


def test_could_not_play_needs_a_reason_and_reaches_the_office(world: Any) -> None:
    assert confirm(world, {"kind": "failed"}).status_code == 422
    assert confirm(world, {"kind": "failed", "reason": "Hỏng loa <b>"}).status_code == 303
    office = world.browser("canbo")
    assert "Không phát được: Hỏng loa &lt;b&gt;" in office.get("/thon").text


def test_an_airing_that_has_not_come_is_not_confirmed(world: Any) -> None:
    answer = confirm(world, {"kind": "played"}, airing=world.made.evening)
    assert answer.status_code == 422
    assert "chưa đến giờ" in answer.text
    assert receipts(world) == []
    world.clock.now = at(
        "16:45"
    )  # the buttons are there by now, for a phone that will have no network at 17:00
    assert "Phát xong rồi hãy bấm" in world.app.test_client().get(link(world)).text
    assert confirm(world, {"kind": "played"}, airing=world.made.evening).status_code == 422
    assert (
        confirm(world, {"kind": "failed", "reason": "Hỏng loa"}, airing=world.made.evening).status_code == 303
    )
    world.clock.now = at("17:03")
    tapped = str(round(at("16:45").timestamp() * 1000))
    assert (
        confirm(world, {"kind": "played", "phone_at": tapped}, airing=world.made.evening).status_code == 422
    )
    assert confirm(world, {"kind": "played"}, airing=world.made.evening).status_code == 303
    assert receipts(world)[-1] == (ReceiptKind.PLAYED, "", True)


@pytest.mark.parametrize("token", ["a" * 26, "x", "....", "' or 1=1", "é" * 26])
def test_a_link_that_is_not_one_gets_the_offices_words_and_nothing_else(world: Any, token: str) -> None:
    answer = world.app.test_client().get(f"/t/{token}")
    assert answer.status_code == 404
    assert "Đường dẫn này không còn dùng được" in answer.text


def test_a_village_answers_for_its_own_airings_of_the_last_week_only(world: Any) -> None:
    assert confirm(world, {"kind": "played"}, airing="another-airing").status_code == 404
    world.clock.now = NOW + timedelta(days=9)
    assert confirm(world, {"kind": "played"}).status_code == 404
    assert receipts(world) == []


def test_a_new_link_closes_the_old_one(world: Any) -> None:
    office = world.browser("canbo")
    village_id = world.made.villages[3]
    office.get(f"/thon/{village_id}")
    assert office.post(f"/thon/{village_id}/doi-lien-ket").status_code == 303
    client = world.app.test_client()
    assert client.get(link(world)).status_code == 404
    assert client.get(link(world, generation=2)).status_code == 200


def test_the_phone_says_that_it_downloaded(world: Any) -> None:
    client = world.app.test_client()
    assert client.post(f"{link(world)}/buoi/{world.made.morning}/da-tai").status_code == 204
    assert receipts(world) == [(ReceiptKind.DOWNLOADED, "", True)]


def test_inside_zalo_the_page_offers_a_real_browser_and_elsewhere_it_does_not(world: Any) -> None:
    client = world.app.test_client()
    zalo = client.get(
        link(world), headers={"User-Agent": "Mozilla/5.0 (Linux; Android 10) Zalo/23.1 Chrome/95"}
    )
    assert "intent://loa.example.vn/t/" in zalo.text
    assert "Zalo" not in client.get(link(world), headers={"User-Agent": "Mozilla/5.0 Chrome/95"}).text


def test_qr_codes_carry_the_villages_address_and_no_inline_style(world: Any) -> None:
    page = world.browser("canbo").get(f"/thon/{world.made.villages[3]}").text
    assert "https://loa.example.vn" + link(world) in page
    assert "<svg" in page.split('class="qr"')[1][:200]


def test_an_address_that_phones_cannot_open_makes_no_qr_code(world: Any) -> None:
    values = dict(world.settings.values)
    values["web.public_url"] = ""
    object.__setattr__(world.settings, "values", values)
    office = world.browser("canbo")
    page = office.get(f"/thon/{world.made.villages[3]}").text
    assert 'class="qr"' not in page
    assert "Máy, thư và địa chỉ" in page
    cards = office.get("/thon/the-qr")
    assert cards.status_code == 422
    assert "điện thoại của thôn không mở được" in cards.text


def test_who_answers_for_a_village_is_saved_and_found_without_marks(world: Any) -> None:
    office = world.browser("canbo")
    village_id = world.made.villages[2]
    office.get(f"/thon/{village_id}")
    office.post(f"/thon/{village_id}", {"operator_name": "Bà Đặng Thị Ước", "operator_phone": "0987 1"})
    page = office.get("/thon?tim=dang thi uoc").text
    assert "Xuân Phong" in page
    assert "Bến Sung" not in page
    with world.db.reading() as session:
        assert session.get_one(Village, village_id).operator_phone == "0987 1"
    assert "sửa người phụ trách thôn" in office.get("/nhat-ky/thay-doi").text
