from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.errors import InputError, NotFound, Refused
from broadcaster.model import Role
from broadcaster.newsroom import delegation, people
from broadcaster.store.tables import Audit, User
from tests.newsroom.conftest import NOW, House

PASSWORD = "trời hôm nay đẹp quá"


def add(session: Session, house: House, username: str = "mai", **more: object) -> User:
    values: dict[str, object] = {"display_name": "Mai", "role": Role.AUTHOR, "password": PASSWORD, **more}
    return people.add_user(session, station_id=house.station.id, username=username, now=NOW, **values)  # type: ignore[arg-type]


def test_a_person_signs_in_with_name_and_password_and_nothing_else(session: Session, house: House) -> None:
    user = add(session, house)
    assert people.authenticate(session, " Mai ", PASSWORD) is user
    assert people.authenticate(session, "mai", PASSWORD + "!") is None
    assert people.authenticate(session, "ma", PASSWORD) is None
    assert people.authenticate(session, "soan", PASSWORD) is None  # an account without a usable hash
    assert PASSWORD not in user.password_hash
    assert user.password_hash.startswith("$argon2id$")


def test_a_password_typed_on_another_keyboard_is_the_same_password(session: Session, house: House) -> None:
    user = add(session, house, password="tiếng việt đẹp")
    assert people.authenticate(session, "mai", "tiê\u0301ng việt đẹp") is user


def test_a_closed_account_is_signed_out_and_stays_out_until_it_is_opened(
    session: Session, house: House
) -> None:
    user = add(session, house)
    people.disable(session, username="mai", now=NOW)
    assert user.session_epoch == 2
    assert people.authenticate(session, "mai", PASSWORD) is None
    people.enable(session, username="mai", now=NOW)
    assert people.authenticate(session, "mai", PASSWORD) is user


def test_a_new_password_signs_out_everywhere(session: Session, house: House) -> None:
    user = add(session, house)
    people.reset_password(session, username="mai", password="một câu khác hẳn", now=NOW)
    assert user.session_epoch == 2
    assert people.authenticate(session, "mai", PASSWORD) is None
    assert people.authenticate(session, "mai", "một câu khác hẳn") is user


def test_the_last_administrator_cannot_be_locked_out(session: Session, house: House) -> None:
    with pytest.raises(Refused, match="quản trị viên duy nhất"):
        people.disable(session, username="quantri", now=NOW)
    add(session, house, "hai", role=Role.ADMINISTRATOR)
    people.disable(session, username="quantri", now=NOW)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("ngắn", "ít nhất 10"),
        ("aaaaaaaaaaaaa", "dễ đoán"),
        ("Matkhau2026", "dễ đoán"),
        ("mai-mai-mai-2026", "tên đăng nhập"),
        ("dài" * 100, "quá dài"),
    ],
)
def test_a_weak_password_is_refused(session: Session, house: House, password: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        add(session, house, password=password)


@pytest.mark.parametrize("username", ["", "a", "có dấu", "hai chữ", "x" * 61, "../x"])
def test_an_unusable_name_is_refused(session: Session, house: House, username: str) -> None:
    with pytest.raises(InputError, match="không dùng được"):
        add(session, house, username)


def test_a_taken_name_is_refused_and_the_transaction_goes_on(session: Session, house: House) -> None:
    add(session, house)
    with pytest.raises(InputError, match="đã có người dùng"):
        add(session, house, "MAI")
    add(session, house, "lan")


def test_an_unknown_name_is_told(session: Session) -> None:
    with pytest.raises(NotFound, match="Không có tài khoản"):
        people.disable(session, username="khong-co", now=NOW)


def test_every_role_has_exactly_its_rights() -> None:
    table = {role.value: {action for action in people.ACTIONS if people.may(role, action)} for role in Role}
    assert table["author"] == set(
        "own see write submit withdraw lexicon schedule jingles villages report".split()
    )
    assert table["approver"] == set("own see approve return withdraw emergency delegate report".split())
    assert table["technician"] == {"own", "see", "receivers", "settings"}
    assert table["contributor"] == {"own", "contribute"}
    assert table["administrator"] == set(people.ACTIONS) - {"contribute"}
    with pytest.raises(AssertionError):
        people.may(Role.ADMINISTRATOR, "unheard-of")


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (datetime(2026, 3, 4, 16, 59, tzinfo=UTC), False),  # 23:59 of the day before, at the station
        (datetime(2026, 3, 4, 17, 0, tzinfo=UTC), True),
        (datetime(2026, 3, 6, 16, 59, tzinfo=UTC), True),
        (datetime(2026, 3, 6, 17, 0, tzinfo=UTC), False),
    ],
)
def test_a_delegation_counts_on_the_station_s_own_days(
    session: Session, house: House, at: datetime, counts: bool
) -> None:
    delegation.delegate(
        session, from_user=house.approver, to_user=house.colleague, first_day=date(2026, 3, 5),
        last_day=date(2026, 3, 6), now=NOW,
    )  # fmt: skip
    assert people.allowed(session, house.colleague, "approve", now=at) is counts
    assert not people.allowed(session, house.colleague, "emergency", now=at)
    assert not people.allowed(session, house.author, "approve", now=at)


def test_a_delegation_ends_with_its_giver_or_when_taken_back(session: Session, house: House) -> None:
    day = date(2026, 3, 2)
    row = delegation.delegate(
        session, from_user=house.approver, to_user=house.colleague, first_day=day, last_day=day, now=NOW
    )
    assert delegation.delegations(session) == [row]
    giver = session.get_one(User, house.approver.id)
    giver.active = False
    assert not people.allowed(session, house.colleague, "approve", now=NOW)
    giver.active = True
    assert people.allowed(session, house.colleague, "approve", now=NOW)
    with pytest.raises(Refused):
        delegation.end_delegation(session, row.id, actor=house.author, now=NOW)
    delegation.end_delegation(session, row.id, actor=house.approver, now=NOW)
    assert not people.allowed(session, house.colleague, "approve", now=NOW)


def test_only_an_approver_delegates_and_only_to_a_colleague(session: Session, house: House) -> None:
    day = date(2026, 3, 2)

    def give(giver: User, taker: User, last: date = day) -> None:
        delegation.delegate(session, from_user=giver, to_user=taker, first_day=day, last_day=last, now=NOW)

    with pytest.raises(Refused, match="Chỉ người duyệt"):
        give(house.author, house.colleague)
    for taker in (house.approver, house.stranger):
        with pytest.raises(InputError, match="Không ủy quyền được"):
            give(house.approver, taker)
    with pytest.raises(InputError, match="Ngày cuối"):
        give(house.approver, house.colleague, day - timedelta(days=1))


def test_the_book_says_who_did_what(session: Session, house: House) -> None:
    add(session, house, actor=house.admin)
    people.disable(session, username="mai", now=NOW)
    session.flush()
    rows = session.scalars(select(Audit).order_by(Audit.id)).all()
    assert [(row.actor, row.action, row.subject) for row in rows] == [
        ("quantri", "thêm tài khoản", "mai"),
        ("dòng lệnh", "khóa tài khoản", "mai"),
    ]
