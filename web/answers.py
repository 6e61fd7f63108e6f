"""What the compose form says about readings: answers given, taken back, or only tried.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from broadcaster.errors import InputError
from broadcaster.model import VERBATIM

Scope = Literal["place", "bulletin", "station"]
SCOPES: dict[str, Scope] = {"place": "place", "bulletin": "bulletin", "station": "station"}
ASKED = ("answer", "verbatim", "pick", "try")


@dataclass(frozen=True, slots=True)
class Given:
    """One answer of the form: how something is read, and how far it counts."""

    key: str
    written: str
    spoken: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in an answer's fields, so that a page comes back as it was left."""

    spoken: str
    scope: str


def answers_in(typed: Mapping[str, str], *, wanted: str = "", number: str = "") -> list[Given]:
    """The answers that somebody typed or asked for; a suggestion that nobody touched is not an answer.

    `wanted` is answer, verbatim or pick (`number` "3-0" = the first alternative of field 3).
    """
    number, _, choice = number.partition("-")
    found = []
    for each in numbers(typed):
        asked = number == each and wanted in ASKED
        spoken, was = typed[f"a{each}-spoken"].strip(), typed.get(f"a{each}-was", "").strip()
        written = typed.get(f"a{each}-written", "").strip()
        if asked and wanted == "verbatim":
            spoken = VERBATIM
        if asked and wanted == "pick":
            spoken = typed.get(f"a{each}-alt{choice}", "").strip()
        if not asked and (spoken == was or not spoken):
            continue
        if not spoken or not written:
            raise InputError(
                f"Chưa có cách đọc cho “{written or spoken}”. Hãy gõ cả chữ viết và lời đọc rồi lưu."
            )
        scope = SCOPES.get(typed.get(f"a{each}-scope", ""), "place")
        found.append(Given(typed.get(f"a{each}-key", ""), written, spoken, scope))
    return found


def tried_in(typed: Mapping[str, str], number: str) -> Given:
    """The answer that somebody wants to hear before keeping it."""
    given = answers_in(
        {name: value for name, value in typed.items() if name.startswith(f"a{number}-")},
        wanted="try", number=number,
    )  # fmt: skip
    if not given:
        raise InputError("Chưa có lời đọc để nghe thử. Hãy gõ lời đọc vào ô rồi bấm lại.")
    return given[0]


def left_in(typed: Mapping[str, str]) -> dict[str, Typed]:
    """place or word -> what stands in its fields."""
    return {
        typed.get(f"a{each}-key", "") or "new": Typed(
            typed[f"a{each}-spoken"], typed.get(f"a{each}-scope", "place")
        )
        for each in numbers(typed)
    }


def numbers(typed: Mapping[str, str]) -> list[str]:
    """The numbers of the form's answer fields."""
    return [
        name[1:-7]
        for name in typed
        if name.startswith("a") and name.endswith("-spoken") and name[1:-7].isdigit()
    ]
