"""Every command of the contract answers --help, and wrong use is told apart from a refusal."""

from __future__ import annotations

import pytest

from broadcaster.__main__ import COMMANDS
from tests.commands.conftest import Run

GROUPS = {
    "voices": ("list", "install", "add", "audition"),
    "users": ("add", "reset", "disable"),
    "service": ("install", "status", "remove"),
    "week": ("export", "import"),
    "archive": ("sweep", "export", "import"),
}
PROMISED = (
    "read", "speak", "produce", "plan", "play", "init", "serve", "work", "clock", "voices", "users", "service",
    "doctor", "report", "backup", "restore", "upkeep", "archive", "week",
)  # fmt: skip
CASES = [
    *[(name,) for name in PROMISED],
    *[(group, name) for group, names in GROUPS.items() for name in names],
]


@pytest.mark.parametrize("words", CASES, ids=" ".join)
def test_every_promised_command_explains_itself(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: python -m broadcaster {' '.join(words)}")
    assert ran.err == ""


def test_the_promised_commands_are_the_ones_there_are() -> None:
    assert set(COMMANDS) == set(PROMISED)


def test_the_list_of_commands_says_what_each_does(run: Run) -> None:
    ran = run("--help")
    assert ran.code == 0
    for name in PROMISED:
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in ran.out.splitlines()), (
            name
        )


@pytest.mark.parametrize(
    "words",
    [
        ("hat",),
        ("read", "--jsom"),
        ("speak", "a.txt"),
        ("speak", "-o", "a.wav", "--speed", "9"),
        ("produce", "-o", "a.mp3", "--profile", "cao"),
        ("plan", "--date", "24/11/2026"),
        ("plan", "--days", "0"),
        ("report", "--from", "hôm qua", "--to", "2026-11-02", "-o", "a.xlsx"),
        ("users", "add", "canbo", "--role", "vua"),
        ("users", "xoa"),
        ("play", "--now", "sáng mai"),
        ("service", "install", "--only", "loa"),
        ("restore", "/khong/co/thu/muc"),
    ],
)
def test_wrong_use_is_two(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert ran.out == ""
    assert "Error:" in ran.err
