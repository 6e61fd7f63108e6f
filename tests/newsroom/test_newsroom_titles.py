"""A text without a title is named as it would be on paper."""

from __future__ import annotations

import pytest

from broadcaster.newsroom.titles import proposed_title


@pytest.mark.parametrize(
    "about", ["Về việc tiêm phòng dại", "V/v: tiêm phòng dại", "Về tiêm phòng dại", "về tiêm phòng dại"]
)
def test_a_kind_of_document_is_named_with_its_subject_however_it_begins(about: str) -> None:
    assert proposed_title(f"THÔNG BÁO\n{about}\n\nBà con chú ý.\n") == "Thông báo: tiêm phòng dại"
