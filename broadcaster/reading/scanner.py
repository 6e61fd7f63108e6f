"""One pass over a paragraph: each token is asked of the rules of its kind; the first that answers reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from broadcaster.model import VERBATIM
from broadcaster.reading import (
    audit,
    dates,
    documents,
    identifiers,
    letters,
    pairs,
    quantities,
    signs,
    times,
    web,
)
from broadcaster.reading.abbreviations import Table
from broadcaster.reading.defined import Definition, definitions
from broadcaster.reading.lexicon import Dialect, Lexicon
from broadcaster.reading.numbers import southern
from broadcaster.reading.scan import Piece, Place, Rule
from broadcaster.reading.syllables import has_vowel, in_syllables, is_syllable, latin

_TOKEN = re.compile(r"(?P<space>\s+)|(?P<word>[^\W\d_]+)|(?P<digit>[0-9])|(?P<sign>.)", re.DOTALL)
_WEBLIKE = re.compile(r"[\w.+\-]{1,64}(?:@|://)|(?:[\w\-]{1,63}\.){1,6}[A-Za-z]{2}|[A-Za-z]{4,5}://")

_FORM_WORDS = frozenset({"ngày", "Ngày", "tháng", "số", "Số", "SỐ"})
_PLAIN: set[str] = set()  # syllables no rule asks about, remembered over texts: grows towards all syllables
_GREEK = {
    "Φ": "phi",
    "φ": "phi",
    "Ø": "phi",
    "ø": "phi",
    "α": "an pha",
    "β": "bê ta",
    "γ": "gam ma",
    "µ": "mi crô",
    "μ": "mi crô",
    "Ω": "ôm",
    "π": "pi",
}

DIGIT_RULES: tuple[Rule, ...] = (
    documents.of_year,
    dates.full,
    identifiers.phone,
    identifiers.plate,
    identifiers.hotline,
    identifiers.account,
    times.clock,
    times.colon,
    dates.months_counted,
    dates.month_year,
    dates.day_month,
    identifiers.house,
    pairs.number_range,
    pairs.fraction,
    pairs.ratio,
    quantities.number,
)


class Unit(NamedTuple):
    """Something said between `start` and `end`.  kind: word (as written), piece, or pause (spoken is the mark)."""

    start: int
    end: int
    spoken: str
    kind: str
    piece: Piece | None = None
    key: str = ""


@dataclass(slots=True)
class Scanner:
    """Reads paragraphs of one text; remembers how often each writing was met, to name answers."""

    text: str  # line ends are spaces here: a sentence runs over them
    source: str  # the same with its line ends
    lexicon: Lexicon
    answers: Mapping[str, str]
    table: Table
    seen: Counter[str] = field(default_factory=Counter)
    foreign: dict[str, None] = field(default_factory=dict)
    own: dict[str, list[str]] = field(default_factory=dict)
    explained: dict[int, Definition] = field(default_factory=dict)  # by where their brackets begin
    defined: dict[str, list[Definition]] = field(default_factory=dict)  # by their first letters

    def __post_init__(self) -> None:
        entries = [*self.lexicon.entries, *self.lexicon.bulletin, *(k for k in self.answers if "#" not in k)]
        for written in dict.fromkeys(entries):
            first = _TOKEN.match(written)
            if first:
                self.own.setdefault(first[0].lower(), []).append(written)
        for choices in self.own.values():
            choices.sort(key=len, reverse=True)

    # ------------------------------------------------------------------------------------ the pass

    def scan(self, start: int, stop: int) -> list[Unit]:
        """Units of `text[start:stop]`, in order; what lies between units is silent."""
        text, pos = self.text, start
        units: list[Unit] = []
        last: Piece | None = None
        while pos < stop:
            found = _TOKEN.match(text, pos, stop)
            if found is None:
                break
            kind, token, end = found.lastgroup, found[0], found.end()
            if kind == "word" and not token.isalpha():  # m², ①: numerals count as letters in patterns
                token = token[: next(i for i, c in enumerate(token) if not c.isalpha())] or token[0]
                kind, end = "word" if token.isalpha() else "sign", pos + len(token)
            if kind == "space":
                if "\t" in token and units:
                    units.append(Unit(pos, end, ",", "pause"))
                pos = end
                continue
            if (
                kind == "word"
                and token in _PLAIN
                and token.lower() not in self.own
                and (end >= stop or not text[end].isdigit())
            ):
                units.append(Unit(pos, end, token, "word"))
                pos = end
                continue
            place = Place(text, pos, start, stop, last)
            unit = self._own_words(place, token) if self.own else None
            if unit is None:
                unit = self._token(place, kind or "sign", token, end)
            if unit is not None:
                units.append(unit)
                pos = unit.end
                last = unit.piece or last
            else:
                pos = end
        return units

    def _token(self, place: Place, kind: str, token: str, end: int) -> Unit | None:
        if kind == "word" and token in ("x", "X") and letters.is_product(place):
            return self._said(place, signs.times(place), end)
        if kind == "word":
            piece = self._word(place, token, end)
            if piece is None:
                return Unit(place.pos, end, token, "word")
            if piece.rule == "capitals":
                return Unit(place.pos, piece.end, piece.spoken, "word")
            return self._answered(place, piece)
        if kind == "digit":
            return self._answered(place, self._digit(place))
        return self._sign(place, end)

    def _digit(self, place: Place) -> Piece:
        if _WEBLIKE.match(place.text, place.pos, place.stop):
            piece = web.web(place)
            if piece:
                return piece
        piece = documents.form(place, self.table) or documents.document_number(place, self.table)
        if piece:
            return piece
        for rule in DIGIT_RULES:
            piece = rule(place)
            if piece:
                return piece
        raise AssertionError("quantities.number reads every digit")

    def _word(self, place: Place, word: str, end: int) -> Piece | None:
        text, stop = place.text, place.stop
        following = text[end] if end < stop else " "
        if word in _FORM_WORDS:
            piece = audit.form_blank(place)
            if piece:
                return piece
        if following in "@.:/-_+" and _WEBLIKE.match(text, place.pos, stop):
            piece = web.web(place)
            if piece:
                return piece
        if following.isdigit() or word[:2] in ("Km", "KM", "km", "QL", "TL", "ĐT", "DT", "ĐH", "HL", "CT"):
            piece = identifiers.milestone(place) or identifiers.road(place) or dates.short_months(place)
            if piece:
                return piece
        if following == "-" and text[end + 1 : end + 2].isdigit():
            piece = identifiers.serial(place)
            if piece:
                return piece
        if word in letters.COMPASS:
            piece = letters.compass(place, end)
            if piece:
                return piece
        if word[0].isupper():
            if word in ("QCVN", "TCVN", "TCCS", "TCN", "QCĐP"):
                piece = documents.standard(place, self.table)
                if piece:
                    return piece
            if word[0] in "IVXL":
                piece = letters.roman_numeral(place)
                if piece:
                    return piece
        piece = self._defined(place, word)
        if piece:
            return piece
        if self.table.starts(word):
            piece = self.table.read(place, word)
            if piece:
                return piece
        if following.isdigit():
            if len(word) > 6 and word in self.table.loans:
                return Piece(end, self.table.loans[word], "abbreviation")
            piece = identifiers.code(place)
            if piece:
                return piece
        if following == "." and letters.may_be_initial(word):
            piece = letters.initials(place)
            if piece:
                return piece
        if word in _GREEK:
            return Piece(end, _GREEK[word], "sign")
        if not latin(word):
            message = f"“{word}” không phải chữ quốc ngữ: xin bỏ đi hoặc cho biết cách đọc."
            return Piece(end, "", "guess", code="symbol", message=message)
        piece = letters.capital_or_foreign(place, word, self.table)
        if piece is None:
            low = word.lower()
            if is_syllable(low):
                if not self.table.starts(word) and word not in _FORM_WORDS and len(_PLAIN) < 40_000:
                    _PLAIN.add(word)
            elif has_vowel(low) and len(word) > 1 and not in_syllables(low):
                self.foreign[word] = None
        return piece

    def _sign(self, place: Place, end: int) -> Unit | None:
        c = place.text[place.pos]
        if c in ".…_":
            piece = signs.blank(place)
            if piece:
                return self._answered(place, piece)
        if c == "." and place.text[end : end + 1].isalpha():
            piece = web.suffix(place)
            if piece:
                return self._answered(place, piece)
        if c in ".!?…":
            ended = signs.ending(place)
            if ended and ended[1] == "…" and signs.closes_list(place, ended[0]):
                return self._answered(place, Piece(ended[0], "vân vân", "ellipsis", ("",)))
            if ended:
                return Unit(place.pos, ended[0], ended[1], "pause")
        special: Piece | None = None
        if c in "$€£¥₫":
            special = signs.money(place)
        elif c == "(":
            special = self._bracket(place) or identifiers.bracket_phone(place) or quantities.repeated(place)
        elif c == "+":
            special = identifiers.phone(place)
        elif c == "*":
            special = web.dial(place)
        elif c == "#":
            special = web.tag(place)
        elif c in "-−–":
            special = quantities.signed(place)
        if special:
            return self._answered(place, special)
        return self._said(place, signs.sign(place), end)

    def _said(self, place: Place, said: Piece | str, end: int) -> Unit | None:
        if isinstance(said, Piece):
            return self._answered(place, said)
        return Unit(place.pos, end, said, "pause") if said else None

    # --------------------------------------------------------------------------------- dictionaries

    def explain(self) -> None:
        """From now on, abbreviations are read as the text itself explains them, and said once where it does."""
        for one in definitions(self.text):
            self.explained[one.bracket[0]] = one
            same = self.defined.setdefault(re.split(r"[&-]", one.code)[0], [])
            if not any(each.spoken == one.spoken and each.code == one.code for each in same[-8:]):
                same.append(one)

    def _bracket(self, place: Place) -> Piece | None:
        """The bracket that explains an abbreviation: its words were just said."""
        one = self.explained.get(place.pos)
        return Piece(one.bracket[1], "", "repeated", (one.spoken,)) if one else None

    def _defined(self, place: Place, word: str) -> Piece | None:
        """An abbreviation as the text explained it, last before this place."""
        for one in reversed(self.defined.get(word, ())):
            end = place.pos + len(one.code)
            if (
                one.since <= place.pos
                and place.text.startswith(one.code, place.pos)
                and not place.text[end : end + 1].isalnum()
            ):
                return Piece(end, one.spoken, "abbreviation")
        return None

    def _own_words(self, place: Place, token: str) -> Unit | None:
        """The longest entry of the three dictionaries that stands at this place as whole words."""
        text, pos = place.text, place.pos
        before = text[pos - 1] if pos > place.start else " "
        for written in self.own.get(token.lower(), ()):
            end = pos + len(written)
            if end > place.stop:
                continue
            here = text[pos:end]
            if here != written and not (written.islower() and here.lower() == written):
                continue
            if (
                written[0].isalnum()
                and before.isalnum()
                or written[-1].isalnum()
                and text[end : end + 1].isalnum()
            ):
                continue
            self.seen[written] += 1
            key = f"{written}#{self.seen[written]}"
            for source in (self.answers.get(key), self.answers.get(written)):
                if source is not None:
                    return self._unit(place, Piece(end, self._say(source, here), "answer"), key)
            source = self.lexicon.bulletin.get(written, self.lexicon.entries.get(written))
            if source is not None:
                return self._unit(place, Piece(end, self._say(source, here), "dictionary"), key)
        return None

    @staticmethod
    def _say(reading: str, written: str) -> str:
        return letters.verbatim(written) if reading == VERBATIM else " ".join(reading.split())

    def _answered(self, place: Place, piece: Piece) -> Unit:
        """The unit of a piece, replaced by this place's answer when there is one."""
        written = " ".join(place.text[place.pos : piece.end].split())
        self.seen[written] += 1
        key = f"{written}#{self.seen[written]}"
        answer = self.answers.get(key)
        if answer is None:
            answer = self.answers.get(written)
        if answer is not None:
            if answer == VERBATIM and piece.code == "blank":
                piece = Piece(piece.end, piece.spoken, "answer")
            else:
                piece = Piece(piece.end, self._say(answer, written), "answer", (piece.spoken,))
        elif self.lexicon.dialect is Dialect.SOUTHERN and piece.rule not in ("abbreviation", "guess"):
            piece = Piece(
                piece.end, southern(piece.spoken), piece.rule, piece.alternatives, piece.code, piece.message
            )
        if not self.lexicon.mung and piece.rule in ("date", "date_range"):
            piece = piece._replace(spoken=piece.spoken.replace("mùng ", ""))
        return self._unit(place, piece, key)

    @staticmethod
    def _unit(place: Place, piece: Piece, key: str) -> Unit:
        return Unit(place.pos, piece.end, piece.spoken, "piece", piece, key)
