"""What a document explains itself is said once, and read as it says from there on."""

from __future__ import annotations

import pytest

from broadcaster.model import VERBATIM
from broadcaster.reading import read
from broadcaster.reading.lexicon import Lexicon


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Bộ phận không khí lạnh (KKL) tràn về. KKL mạnh.", "Bộ phận không khí lạnh tràn về.\nKhông khí lạnh mạnh."),
        ("KKL (không khí lạnh) tràn về.", "Không khí lạnh tràn về."),
        ("Ủy ban nhân dân (UBND) xã họp.", "Ủy ban nhân dân xã họp."),
        ("Trung tâm (TT) mở cửa. TT đóng sớm.", "Trung tâm mở cửa.\nTrung tâm đóng sớm."),
        ("Quỹ tín dụng nhân dân (sau đây gọi tắt là “QTDND”) mở cửa.", "Quỹ tín dụng nhân dân mở cửa."),
        ("Cục An toàn thông tin (Cục ATTT) khuyến cáo.", "Cục An toàn thông tin khuyến cáo."),
        ("Khoa học và công nghệ (KHCN) phát triển.", "Khoa học và công nghệ phát triển."),
        ("Ưu đãi vay (ƯĐV) và ô nhiễm môi trường (ONMT).", "Ưu đãi vay và ô nhiễm môi trường."),
        ("TUYÊN TRUYỀN LƯU ĐỘNG (TTLĐ). Đội TTLĐ về xã.", "Tuyên truyền lưu động.\nĐội tuyên truyền lưu động về xã."),
        # what a bracket adds is not what was said
        ("Ngày 06/12 (CN): họp.", "Ngày mùng sáu tháng mười hai, Chủ nhật, họp."),
        ("Mỗi xã một sản phẩm (OCOP) năm nay.", "Mỗi xã một sản phẩm, ô cốp, năm nay."),
        ("Xã họp dân. Các tổ (HĐND) dự.", "Xã họp dân.\nCác tổ, Hội đồng nhân dân, dự."),
    ],
)  # fmt: skip
def test_a_bracket_that_explains_is_silent_and_one_that_adds_is_said(written: str, said: str) -> None:
    reading = read(written)
    assert reading.spoken == said
    assert not reading.blocking


def test_what_is_explained_holds_from_there_on_and_not_before() -> None:
    reading = read("Gặp TT lúc 7h. Tại Trung tâm (TT) có nước. TT mở cửa.")
    assert [warning.start for warning in reading.warnings] == [4]
    assert reading.spoken.endswith("Tại Trung tâm có nước.\nTrung tâm mở cửa.")


def test_the_silent_bracket_is_shown_and_may_be_said() -> None:
    reading = read("Bộ phận không khí lạnh (KKL) tràn về.")
    (mark,) = reading.sentences[0].marks
    assert (mark.written, mark.spoken, mark.rule, mark.alternatives) == (
        "(KKL)",
        "",
        "repeated",
        ("không khí lạnh",),
    )
    said = read("Bộ phận không khí lạnh (KKL) tràn về.", answers={mark.key: "ca ca lờ"})
    assert said.spoken == "Bộ phận không khí lạnh ca ca lờ tràn về."


def test_answers_and_the_stations_dictionary_are_nearer_than_the_document() -> None:
    written = "Không khí lạnh (KKL) tràn về. KKL mạnh."
    assert read(written, answers={"KKL": VERBATIM}).spoken.endswith("Ca ca lờ mạnh.")
    assert read(written, lexicon=Lexicon(entries={"KKL": "khí lạnh"})).spoken.endswith("Khí lạnh mạnh.")
