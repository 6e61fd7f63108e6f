"""The help a person reads: one page a role, in Vietnamese, and no command that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcaster.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "help").glob("*.md"))


def test_every_role_has_its_page() -> None:
    roles = {"can-bo", "nguoi-duyet", "truong-thon", "ky-thuat", "cong-tac-vien", "quan-tri"}
    assert {page.stem for page in PAGES} >= roles | {"ke-hoach-va-kenh"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_begins_with_its_title_and_is_short(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(r"# [^\n]{10,80}\n\n", text)
    assert text.count("\n# ") == 0
    assert len(text.split()) < 900


def test_people_who_do_not_run_the_machine_see_no_command() -> None:
    for page in PAGES:
        if page.stem != "ky-thuat":
            assert "python" not in page.read_text(encoding="utf-8"), page.name


def test_every_command_named_in_the_help_exists() -> None:
    text = (ROOT / "docs" / "help" / "ky-thuat.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python -m broadcaster ([a-z]+)", text))
    assert named >= {"doctor", "service", "backup", "users"}
    assert named <= set(COMMANDS), named - set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_small_pictures_that_say_in_words_what_they_are(page: Path) -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert pictures or page.stem in ("cong-tac-vien", "ke-hoach-va-kenh")
    assert all(len(words.split()) >= 3 for words, _ in pictures)
    assert sum((page.parent / name).stat().st_size for _, name in pictures) <= 60_000


def test_pictures_of_the_screens_are_light() -> None:
    heavy = [path.name for path in (ROOT / "docs" / "screens").iterdir() if path.stat().st_size > 100_000]
    assert heavy == []


def test_every_picture_of_the_help_is_on_a_page() -> None:
    shown = {
        name for page in PAGES for name in re.findall(r"\((hinh/[^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert shown == {f"hinh/{path.name}" for path in (ROOT / "docs" / "help" / "hinh").iterdir()}
