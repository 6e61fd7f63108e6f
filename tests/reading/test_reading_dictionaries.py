"""Three dictionaries, old codes, warnings: what a person decides and what is never decided silently."""

from __future__ import annotations

import pytest

from broadcaster.errors import InputError
from broadcaster.model import VERBATIM
from broadcaster.reading import Lexicon, entries_from_tsv, entries_to_tsv, read, spoken
from broadcaster.reading.abbreviations import table
from broadcaster.reading.dictionary import changed_entries, touched
from broadcaster.reading.syllables import has_vowel


def test_the_nearest_dictionary_wins() -> None:
    text = "Tổ XQB họp. Tổ XQB nghỉ."
    station = Lexicon(entries={"XQB": "đài đọc"})
    bulletin = Lexicon(entries={"XQB": "đài đọc"}, bulletin={"XQB": "bản tin đọc"})
    assert read(text, lexicon=station).spoken.count("đài đọc") == 2
    assert read(text, lexicon=bulletin).spoken.count("bản tin đọc") == 2
    here = read(text, lexicon=bulletin, answers={"XQB#2": "chỗ này đọc"})
    assert [s.spoken for s in here.sentences] == ["Tổ bản tin đọc họp.", "Tổ chỗ này đọc nghỉ."]


def test_entries_may_be_phrases_and_match_whole_words_only() -> None:
    lexicon = Lexicon(entries={"Bến En": "bến en", "kali": "ca li"})
    assert (
        read("Bón kali ở Bến En, không phải kalium.", lexicon=lexicon).spoken
        == "Bón ca li ở bến en, không phải kalium."
    )


def test_a_mark_can_be_reread_in_its_place() -> None:
    text = "Từ 5-7 ngày, nghỉ 5-7 hôm."
    keys = [m.key for m in read(text).sentences[0].marks]
    assert keys == ["5-7#1", "5-7#2"]
    assert read(text, answers={"5-7#2": "năm bảy"}).spoken == "Từ năm đến bảy ngày, nghỉ năm bảy hôm."


def test_verbatim_spells_what_cannot_be_said() -> None:
    reading = read("Mã XQB.", answers={"XQB": VERBATIM})
    assert reading.spoken == "Mã ích quy bê."
    assert not reading.blocking


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Thôn XQB họp.", "acronym"),
        ("Họp ngày 5-7 tới.", "ambiguous"),
        ("Họp ngày ..... tháng ..... năm 2026.", "blank"),
        ("Họp ngày   tháng   năm 2026.", "blank"),
        ("Ông: ______ trú tại thôn 3.", "blank"),
        ("Số:    /TB-UBND gửi các thôn.", "blank"),
        ("Họp ngày 31/02/2026.", "date"),
        ("Gửi 中国 đọc.", "symbol"),
        ("Thu 1,500 đồng mỗi hộ.", "ambiguous"),
        ("Kế hoạch số 12/KH-XQZ có hiệu lực.", "code"),
        ("Các vị TT họp riêng.", "ambiguous"),
    ],
)
def test_doubt_blocks(text: str, code: str) -> None:
    reading = read(text)
    assert [w.code for w in reading.warnings] == [code]
    assert reading.blocking
    warning = reading.warnings[0]
    assert reading.text[warning.start : warning.end] == warning.written
    assert not read(text, answers={warning.key: "đã xem"}).blocking


@pytest.mark.parametrize(
    "text",
    [
        "UBND xã thông báo lịch tiêm phòng ngày 5/3/2026, từ 7h30-11h.",
        "Nghị quyết số 04-NQ/TU ngày 29/01/2026 của Ban Thường vụ Tỉnh ủy.",
        "Công dân ghi rõ ngày tháng năm sinh.",
        "Bà con chú ý, ai có nhu cầu thì đăng ký tại thôn.",
    ],
)
def test_ordinary_bulletins_do_not_block(text: str) -> None:
    assert not read(text).blocking


def test_tsv_round_trip() -> None:
    entries = {"XQB": "xuân quê bình", "Bến En": "bến en"}
    assert entries_from_tsv(entries_to_tsv(entries)) == entries
    assert entries_from_tsv("# ghi chú\n\nA\tb\nA\tc\n") == {"A": "c"}
    with pytest.raises(InputError, match="Dòng 2"):
        entries_from_tsv("A\tb\nchỉ có một cột\n")


def test_a_changed_entry_names_the_texts_it_may_alter() -> None:
    changed = changed_entries({"A1": "x", "B": "y"}, {"A1": "z", "B": "y", "C": "t"})
    assert changed == ("A1", "C")
    assert touched(["hạng a1", "hạng b"], ["A1"]) == (True, False)


@pytest.mark.parametrize(
    ("old", "name"),
    [
        ("Céng hoµ x· héi chñ nghÜa ViÖt Nam", "TCVN3"),
        ("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", "VNI"),
        ("Ng­êi d©n n­íc ta ®i häc", "TCVN3"),
    ],
)
def test_old_codes_are_converted_with_a_note(old: str, name: str) -> None:
    reading = read(old)
    assert name in reading.notes[0]
    assert not reading.blocking
    assert spoken(old) in (
        "cộng hoà xã hội chủ nghĩa việt nam",
        "cộng hòa xã hội chủ nghĩa việt nam",
        "người dân nước ta đi học",
    )


@pytest.mark.parametrize(
    "text",
    ["Café của ông José ở Orléans", "Bà Nguyễn Thị Hòa, thôn Đông", "Coca-Cola® và Pepsi®", "giá ½ â số"],
)
def test_unicode_text_is_not_taken_for_an_old_code(text: str) -> None:
    assert not any("bảng mã" in note for note in read(text).notes)


def test_invisible_characters_are_removed_with_a_note() -> None:
    reading = read("UB\u200bND xã \u202eNhư\u202c Thanh")
    assert reading.spoken == "Ủy ban nhân dân xã Như Thanh."
    assert "3 ký tự ẩn" in reading.notes[0]


def test_loose_marks_and_wide_letters_are_composed() -> None:
    assert spoken("Hợp tác xã ７７％") == "hợp tác xã bảy mươi bảy phần trăm"


def test_every_expansion_of_the_table_can_be_said() -> None:
    for meanings in table().meanings.values():
        for meaning in meanings:
            for word in meaning.spoken.replace(",", " ").replace("-", " ").split():
                assert word.isalpha(), meaning
                assert has_vowel(word), meaning
            assert spoken(meaning.spoken) == " ".join(
                meaning.spoken.lower().replace(",", " ").replace("-", " ").split()
            )


def test_mung_is_a_setting() -> None:
    assert read("Ngày 05/3.").spoken == "Ngày mùng năm tháng ba."
    assert read("Ngày 05/3.", lexicon=Lexicon(mung=False)).spoken == "Ngày năm tháng ba."


def test_no_meaning_stands_behind_one_that_always_fits() -> None:
    hidden = []
    for code, meanings in table().meanings.items():
        always = next((i for i, one in enumerate(meanings) if one.left is None and one.right is None), None)
        if always is not None:
            after = meanings[always + 1 :]
            hidden += [
                (code, one.spoken) for one in after if one.kind != "issuer"
            ]  # those read document numbers
    assert hidden == []
