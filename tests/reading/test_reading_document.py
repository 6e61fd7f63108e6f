"""A whole bulletin: what is spoken, what is left out, what must be answered."""

from __future__ import annotations

import json

from broadcaster.model import VERBATIM, Pause
from broadcaster.reading import read, reading_to_json, spoken

PLAN = """ỦY BAN NHÂN DÂN
XÃ BẾN SUNG
Số:     /KH-UBND
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Bến Sung, ngày     tháng     năm 2026

KẾ HOẠCH
Tuyên truyền phòng, chống cháy rừng năm 2026

I. MỤC ĐÍCH
1. Nâng cao ý thức của nhân dân. Mỗi thôn cử 01 tổ 5-7 người trực 24/24h.
- Từ 7h30-11h ngày 15/3: các thôn làm việc.

Trên đây là kế hoạch của xã./.

Nơi nhận:
- TT Đảng ủy (b/c);
- Lưu: VT, VHXH.

TM. ỦY BAN NHÂN DÂN
KT. CHỦ TỊCH
PHÓ CHỦ TỊCH

Lê Thị B
"""


def test_furniture_is_left_out_and_shown() -> None:
    reading = read(PLAN)
    assert [part.kind for part in reading.left_out] == ["letterhead", "recipients", "signature"]
    assert reading.sentences[0].spoken == "Kế hoạch."
    assert reading.sentences[-1].spoken == "Trên đây là kế hoạch của xã."
    assert "Nơi nhận" not in reading.spoken
    for part in reading.left_out:
        assert reading.text[part.start : part.end] == part.written


def test_sentences_carry_their_place_and_pause() -> None:
    reading = read(PLAN)
    for sentence in reading.sentences:
        assert reading.text[sentence.start : sentence.end] == sentence.written
        for mark in sentence.marks:
            assert sentence.start <= mark.start <= mark.end <= sentence.end
            assert reading.text[mark.start : mark.end] == mark.written
    said = {s.spoken: s.pause for s in reading.sentences}
    assert said["Một, mục đích."] is Pause.ITEM
    assert said["Một, Nâng cao ý thức của nhân dân."] is Pause.SENTENCE
    assert said["Trên đây là kế hoạch của xã."] is Pause.PARAGRAPH


def test_blanks_block_until_each_is_answered() -> None:
    reading = read(PLAN)
    assert reading.blocking
    assert {w.code for w in reading.warnings} == {"blank"}
    assert len(reading.warnings) == 2
    first, second = reading.warnings
    assert read(PLAN, answers={first.key: VERBATIM}).warnings == (second,)
    assert not read(PLAN, answers={first.key: VERBATIM, second.key: "ngày mười tháng ba"}).blocking


def test_an_unknown_abbreviation_is_asked_once_and_answered_everywhere() -> None:
    text = "Hội XQB họp. Thành viên XQB có mặt đủ."
    reading = read(text)
    assert [w.key for w in reading.warnings] == ["XQB"]
    answered = read(text, answers={"XQB": "xuân quê bình"})
    assert not answered.blocking
    assert answered.spoken.count("xuân quê bình") == 2


def test_a_range_is_never_a_date() -> None:
    assert spoken("Thời gian 5-7 ngày.") == "thời gian năm đến bảy ngày"


def test_json_is_plain_data() -> None:
    data = json.loads(json.dumps(reading_to_json(read(PLAN))))
    assert data["blocking"] is True
    assert data["sentences"][0]["spoken"] == "Kế hoạch."


def test_a_margin_break_after_a_sentence_is_no_end_of_a_paragraph() -> None:
    text = (
        "Bà con chú ý theo dõi lịch cắt điện của đơn vị quản lý trong tuần.\n"
        "Mọi thắc mắc xin gọi tổng đài 1900 6769 để được giải đáp kịp thời.\n\nXin cảm ơn."
    )
    assert [s.pause for s in read(text).sentences] == [Pause.SENTENCE, Pause.PARAGRAPH, Pause.PARAGRAPH]


def test_a_heading_is_not_joined_to_the_long_paragraph_below_it() -> None:
    """A text that a margin broke has no line beyond the margin: each line of such a text is a paragraph."""
    heading = "Tổ chức tháng cao điểm “Mỗi nhà một việc số” trên địa bàn xã Như Thanh"
    body = "Căn cứ kế hoạch của xã về chuyển đổi số, các thôn tổ chức tuyên truyền đến từng hộ, mỗi tuần một việc, trong cả tháng mười hai."
    assert len(body) > 110
    first, *_rest = read(f"{heading}\n{body}").sentences
    assert first.written == heading
    broken = "Các thôn tổ chức tuyên truyền đến từng hộ trên địa bàn xã\nNhư Thanh trong cả tháng."
    assert len(read(broken).sentences) == 1


def test_a_list_of_days_is_not_read_in_one_breath() -> None:
    text = (
        "Ngày 05/12 (T7): thôn 1, 2, 3 - buổi sáng; thôn 4, 5 - buổi chiều\nNgày 06/12 (CN): các thôn còn lại"
    )
    said = [one.spoken for one in read(text).sentences]
    assert len(said) == 2
    assert said[1] == "Ngày mùng sáu tháng mười hai, Chủ nhật, các thôn còn lại."


def test_the_name_under_a_signer_who_stands_beside_the_recipients_is_not_said() -> None:
    text = (
        "Yêu cầu các đơn vị thực hiện./.\n\n"
        "Nơi nhận:                                   KT. CHỦ TỊCH\n"
        "- Như trên;                                 PHÓ CHỦ TỊCH\n"
        "- Lưu: VT.\n\n"
        "                                            Lê Đức Giang\n"
    )
    reading = read(text)
    assert reading.spoken == "Yêu cầu các đơn vị thực hiện."
    assert [part.kind for part in reading.left_out] == ["recipients", "signature"]
    assert (
        read(text.replace("PHÓ CHỦ TỊCH", "TRƯỞNG TRẠM Y TẾ").replace("KT. CHỦ TỊCH", "")).spoken
        == reading.spoken
    )
    goes_on = text.replace("Lê Đức Giang", "Bà con lưu ý giữ ấm cho trâu bò.")
    assert "giữ ấm" in read(goes_on).spoken


def test_a_post_s_pictures_and_hashtags_are_not_said() -> None:
    reading = read(
        "👉 1. VNeID là gì?\n☎️ Gọi 113 => báo công an -> 5 phút có mặt.\n#VNeID #ChuyenDoiSo #NhuThanh"
    )
    assert [one.spoken for one in reading.sentences] == [
        "Một, vi en e i đi là gì?",
        "Gọi một một ba, báo công an, năm phút có mặt.",
    ]
    assert [part.written for part in reading.left_out] == ["#VNeID #ChuyenDoiSo #NhuThanh"]


def test_a_line_that_ends_in_an_address_is_not_joined_to_the_next() -> None:
    text = (
        "Mọi thắc mắc xin liên hệ cán bộ văn hóa, hoặc thư điện tử: vhxh@thanhhoa.gov.vn\n"
        "Chương trình đến đây là hết."
    )
    assert read(text).spoken.splitlines()[-1] == "Chương trình đến đây là hết."


def test_an_office_without_a_motto_is_named_in_one_breath() -> None:
    text = "ỦY BAN NHÂN DÂN\nXÃ NHƯ THANH\n\nTHÔNG BÁO\nVề việc tiêm phòng dại\n"
    assert [one.spoken for one in read(text).sentences] == [
        "Ủy ban nhân dân xã như thanh.",
        "Thông báo.",
        "Về việc tiêm phòng dại.",
    ]


def test_only_words_that_a_voice_may_say_wrong_are_named_as_foreign() -> None:
    notes = read("Bón kali, phủ nilon, uống vitamin; mở website rồi bấm download.").notes
    assert notes == ("Từ nước ngoài, giọng đọc có thể đọc chưa đúng: download.",)
