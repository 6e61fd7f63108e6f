"""Written Vietnamese syllables → sounds → the phoneme tokens of the embedded model.  Pure.

A syllable is onset + glide + nucleus + coda + tone.  Vietnamese spelling is regular enough that every
legal rhyme can be listed (`RHYMES`), so nothing here guesses: a word that is not made of an onset and a
listed rhyme is not a Vietnamese syllable, and `parse` spells it so that no text can stop the voice.

`Accent` says how a profile of speech sounds each part; `sounds` turns parsed items into one token string
with the token positions of every syllable, which `tones` needs to lay the melody on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from importlib.resources import files


class Tone(IntEnum):
    """The six tones, numbered as schoolbooks do."""

    NGANG = 1
    HUYEN = 2
    SAC = 3
    HOI = 4
    NGA = 5
    NANG = 6


_TONE_MARKS = {
    "\N{COMBINING GRAVE ACCENT}": Tone.HUYEN,
    "\N{COMBINING ACUTE ACCENT}": Tone.SAC,
    "\N{COMBINING HOOK ABOVE}": Tone.HOI,
    "\N{COMBINING TILDE}": Tone.NGA,
    "\N{COMBINING DOT BELOW}": Tone.NANG,
}

STOPS = frozenset({"p", "t", "c", "ch"})


@dataclass(frozen=True, slots=True)
class Syllable:
    """One spoken syllable.  `onset`, `nucleus`, `coda` are spelled as in writing (`iê`, `nh`, …);
    `glide` is "" or "w"; a coda may also be the off-glide "j" or "w".  `written` is what stood there."""

    onset: str
    glide: str
    nucleus: str
    coda: str
    tone: Tone
    written: str

    @property
    def stopped(self) -> bool:
        """True when the syllable ends in p, t, c or ch: it is short and has only sắc or nặng."""
        return self.coda in STOPS


@dataclass(frozen=True, slots=True)
class Break:
    """A pause mark between syllables: one of , . ? !"""

    mark: str


Item = Syllable | Break

# --------------------------------------------------------------------------------------- the sounds listed

# written onset → the sound's name (k, q and c are one sound; so are g/gh, ng/ngh and d/gi in the north)
ONSETS: Mapping[str, str] = {
    "": "", "b": "b", "c": "c", "ch": "ch", "d": "d", "đ": "đ", "g": "g", "gh": "g", "gi": "gi", "h": "h",
    "k": "c", "kh": "kh", "l": "l", "m": "m", "n": "n", "ng": "ng", "ngh": "ng", "nh": "nh", "p": "p",
    "ph": "ph", "q": "c", "r": "r", "s": "s", "t": "t", "th": "th", "tr": "tr", "v": "v", "x": "x",
}  # fmt: skip

# nucleus → (its written form before a coda, the codas it takes)
_PLAIN: Mapping[str, str] = {
    "a": "- m n ng nh p t c ch", "ă": "m n ng p t c", "â": "m n ng p t c", "e": "- m n ng p t c",
    "ê": "- m n ng nh p t c ch", "i": "- m n nh p t ch", "o": "- m n ng p t c", "ô": "- m n ng p t c",
    "ơ": "- m n ng p t c", "u": "- m n ng p t c", "ư": "- m n ng p t c", "iê": "m n ng p t c",
    "uô": "m n ng p t c", "ươ": "m n ng p t c",
}  # fmt: skip
_GLIDED: Mapping[str, str] = {
    "a": "- m n ng nh p t c ch", "ă": "m n ng p t c", "â": "n ng t c", "e": "- m n ng t", "ê": "- n nh t ch",
    "i": "- m n nh p t ch", "ơ": "- n t", "iê": "n t",
}  # fmt: skip
_OFFGLIDES: Mapping[str, tuple[str, str]] = {
    "ai": ("a", "j"), "ao": ("a", "w"), "ay": ("ă", "j"), "au": ("ă", "w"), "ây": ("â", "j"), "âu": ("â", "w"),
    "eo": ("e", "w"), "êu": ("ê", "w"), "iu": ("i", "w"), "oi": ("o", "j"), "ôi": ("ô", "j"), "ơi": ("ơ", "j"),
    "ui": ("u", "j"), "ưi": ("ư", "j"), "ưu": ("ư", "w"), "iêu": ("iê", "w"), "uôi": ("uô", "j"),
    "ươi": ("ươ", "j"), "ươu": ("ươ", "w"),
}  # fmt: skip
_OPEN = {"ia": "iê", "ua": "uô", "ưa": "ươ"}


def _rhyme_table() -> dict[str, tuple[str, str, str]]:
    """Every legal written rhyme (no tone) → (glide, nucleus, coda)."""
    table: dict[str, tuple[str, str, str]] = {}
    for nucleus, codas in _PLAIN.items():
        for coda in codas.replace("-", "").split(" "):
            table[nucleus + coda] = ("", nucleus, coda)
    for written, (nucleus, coda) in _OFFGLIDES.items():
        table[written] = ("", nucleus, coda)
    for written, nucleus in _OPEN.items():
        table[written] = ("", nucleus, "")
    for nucleus, codas in _GLIDED.items():
        letter, written_nucleus = ("o", nucleus) if nucleus in ("a", "ă", "e") else ("u", nucleus)
        written_nucleus = {"i": "y", "iê": "yê"}.get(written_nucleus, written_nucleus)
        for coda in codas.replace("-", "").split(" "):
            table[letter + written_nucleus + coda] = ("w", nucleus, coda)
    table |= {
        "oai": ("w", "a", "j"), "oay": ("w", "ă", "j"), "oao": ("w", "a", "w"),
        "oeo": ("w", "e", "w"), "uây": ("w", "â", "j"), "uêu": ("w", "ê", "w"),
        "uyu": ("w", "i", "w"), "uya": ("w", "iê", ""), "oong": ("", "o", "ng"), "ooc": ("", "o", "c"),
        "ôông": ("", "ô", "ng"), "ôôc": ("", "ô", "c"),
    }  # fmt: skip
    # y for i at the start of a syllable or alone (y tế, kỹ, yêu)
    for written in [w for w in table if w.startswith(("iê", "i")) and not w.startswith("ia")]:
        table.setdefault("y" + written[1:], table[written])
    return table


def _after_q(table: Mapping[str, tuple[str, str, str]]) -> dict[str, tuple[str, str, str]]:
    """Rhymes after q: the letter u is the glide there (quan = k+w+an), but quô- is the vowel uô (quốc)."""
    after: dict[str, tuple[str, str, str]] = {}
    for written, (glide, nucleus, coda) in table.items():
        if glide == "" and nucleus not in ("u", "uô", "ư", "ươ", "o", "ô"):
            after["u" + written] = ("w", nucleus, coda)
        elif nucleus == "uô" and coda:
            after[written] = ("", nucleus, coda)
    after["ua"] = ("w", "a", "")
    return after


RHYMES: Mapping[str, tuple[str, str, str]] = _rhyme_table()
RHYMES_AFTER_Q: Mapping[str, tuple[str, str, str]] = _after_q(RHYMES)
_ONSETS_LONGEST_FIRST = sorted((o for o in ONSETS if o), key=len, reverse=True) + [""]


def split_tone(word: str) -> tuple[str, Tone]:
    """`word` without its tone mark (lower case, NFC), and the tone; several marks: the last one counts."""
    tone, letters = Tone.NGANG, []
    for char in unicodedata.normalize("NFD", word.lower()):
        if char in _TONE_MARKS:
            tone = _TONE_MARKS[char]
        else:
            letters.append(char)
    return unicodedata.normalize("NFC", "".join(letters)), tone


@cache
def syllable(word: str) -> Syllable | None:
    """The syllable that `word` writes, in any case and either placing of the tone mark; None if it is none.

    A stop coda without sắc or nặng ("mat", "cốc" misspelt "cồc") is spoken with sắc, as people read it.
    """
    letters, tone = split_tone(word)
    for written_onset in _ONSETS_LONGEST_FIRST:
        if not letters.startswith(written_onset):
            continue
        rest = letters[len(written_onset) :]
        if written_onset == "gi":
            # gì, gìn, giếng: the i belongs to the rhyme as well
            if "i" + rest in RHYMES and (rest not in RHYMES or rest[0] == "ê"):
                rest = "i" + rest
        table = RHYMES_AFTER_Q if written_onset == "q" else RHYMES
        if rest in table:
            glide, nucleus, coda = table[rest]
            if coda in STOPS and tone not in (Tone.SAC, Tone.NANG):
                tone = Tone.SAC
            return Syllable(ONSETS[written_onset], glide, nucleus, coda, tone, word)
    return None


# ------------------------------------------------------------------------------- whole sentences, any text

_PIECES = re.compile(r"[^\W\d_]+|\d|[,;:…–—().?!\n]|\.\.\.")
_BREAKS = {".": ".", "?": "?", "!": "!", "\n": "."}  # everything else that parts words is a comma
_LETTER_NAMES: Mapping[str, str] = {
    "a": "a", "ă": "á", "â": "ớ", "b": "bê", "c": "xê", "d": "dê", "đ": "đê", "e": "e", "ê": "ê", "f": "ép",
    "g": "giê", "h": "hát", "i": "i", "j": "di", "k": "ca", "l": "lờ", "m": "mờ", "n": "nờ", "o": "o",
    "ô": "ô", "ơ": "ơ", "p": "pê", "q": "quy", "r": "rờ", "s": "sờ", "t": "tê", "u": "u", "ư": "ư", "v": "vê",
    "w": "vê kép", "x": "ích", "y": "i", "z": "dét",
}  # fmt: skip
MARKS = frozenset(",.?!")  # the pause marks that reach the model
_DIGIT_NAMES = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def _segment(word: str) -> list[Syllable] | None:
    """A run of letters as the fewest legal syllables ("côvít" → cô, vít); None when there is no such cut."""
    best: list[list[Syllable] | None] = [[]]
    for end in range(1, len(word) + 1):
        found: list[Syllable] | None = None
        for start in range(max(0, end - 7), end):
            before, last = best[start], syllable(word[start:end])
            if before is not None and last is not None and (found is None or len(before) + 1 < len(found)):
                found = [*before, last]
        best.append(found)
    return best[-1]


@cache
def foreign_words() -> Mapping[str, tuple[str, ...]]:
    """Foreign words that bulletins leave as they are, in small letters → how they are said here (`foreign.tsv`).

    What a listener should see respelled is an alias of reading; these are for a voice that knows no other language.
    """
    lines = files(__package__).joinpath("foreign.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {word: tuple(said.split()) for word, said in (line.split("\t") for line in lines)}


@cache
def _word(word: str) -> tuple[Syllable, ...]:
    """Syllables of any run of letters: a syllable, a foreign word as people say it, several syllables in one, letters."""
    whole = syllable(word)
    if whole is not None:
        return (whole,)
    foreign = foreign_words().get(word.lower())
    if foreign is not None:
        return tuple(one for part in foreign for one in _word(part))
    if len(word) <= 40 and (cut := _segment(unicodedata.normalize("NFC", word.lower()))) is not None:
        return tuple(cut)
    spelled: list[Syllable] = []
    for char in word[:40]:
        plain = split_tone(char)[0]
        base = plain if plain in _LETTER_NAMES else unicodedata.normalize("NFD", plain)[:1]
        for name in _LETTER_NAMES.get(base, "").split():
            if (letter := syllable(name)) is not None:
                spelled.append(letter)
    return tuple(spelled)


def parse(sentence: str) -> list[Item]:
    """Syllables and breaks of a spoken sentence.  Never fails: digits are named, foreign words spelled,
    signs without a sound are left out.  Breaks are single and never first; nothing to say gives []."""
    items: list[Item] = []
    for piece in _PIECES.findall(unicodedata.normalize("NFC", sentence)):
        if piece[0].isalpha():
            items.extend(_word(piece))
        elif piece.isdigit():
            digit = unicodedata.digit(piece, -1)
            if digit >= 0:
                items.extend(_word(_DIGIT_NAMES[digit]))
        elif items:
            mark = _BREAKS.get(piece, ",")
            if isinstance(items[-1], Break):
                if items[-1].mark == ",":
                    items[-1] = Break(mark)
            else:
                items.append(Break(mark))
    return items


def legal_syllables() -> Iterator[str]:
    """Every spelling this module calls legal, without tone marks: onset by onset."""
    for onset in ONSETS:
        for rhyme in RHYMES_AFTER_Q if onset == "q" else RHYMES:
            word = onset + rhyme
            if not (onset == "gi" and rhyme[0] in "iyê") and syllable(word) is not None:
                yield word


# ------------------------------------------------------------------------------------ sounds of an accent


@dataclass(frozen=True, slots=True)
class Accent:
    """How a profile of speech sounds the parts of a syllable, in the model's phoneme letters.

    `rhymes` (by nucleus and coda) wins over nucleus + coda.  Tones have no letters: the melody is written
    into the pitch curve by `tones`.
    """

    name: str
    onsets: Mapping[str, str]
    nuclei: Mapping[str, str]
    codas: Mapping[str, str]
    rhymes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    glide: str = "w"


# đ is implosive: voiced from the first moment.  The model's own d is not, and was heard as t; a short n before it
# keeps the voice on.  A plain ŋ begins ng-; with a stop after it, it was heard as g.
NORTHERN = Accent(
    name="bắc",
    onsets={
        "": "", "b": "b", "c": "k", "ch": "ʨ", "tr": "ʈ", "d": "z", "gi": "z", "r": "ɻ", "đ": "nd", "g": "ɣ",
        "h": "h", "kh": "x", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "nh": "ɲ", "p": "p", "ph": "f",
        "s": "ʂ", "x": "s", "t": "t", "th": "tʰ", "v": "v",
    },
    nuclei={
        "a": "aː", "ă": "a", "â": "ʌ", "e": "ɛ", "ê": "e", "i": "i", "o": "ɔ", "ô": "o", "ơ": "əː", "u": "u",
        "ư": "ɯ", "iê": "iə", "uô": "uə", "ươ": "ɯə",
    },
    codas={
        "": "", "m": "m", "n": "n", "ng": "ŋ", "nh": "ɲ", "p": "p", "t": "t", "c": "k", "ch": "k", "j": "j",
        "w": "w",
    },
    rhymes={
        ("a", "ch"): "ajk", ("ê", "ch"): "ejk",  # ch closes with a glide here
        ("a", "nh"): "ajŋ",
        ("ô", "ng"): "əwŋ", ("ô", "c"): "əwk",  # rounded, both lips closing at the end
        ("ơ", "j"): "ɜːj",
        ("a", "w"): "ɑːw",  # farther back, or it is heard as âu
    },
)  # fmt: skip

ACCENTS: Mapping[str, Accent] = {NORTHERN.name: NORTHERN}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a syllable's tokens stand in the token string: [start, end), its rhyme from `rhyme`, its coda
    (the last token of the rhyme when it has one) from `coda`."""

    start: int
    rhyme: int
    coda: int
    end: int
    syllable: Syllable


def sounds(items: Sequence[Item], accent: Accent = NORTHERN) -> tuple[str, list[Place]]:
    """(token string, places of the syllables in it).  Syllables are parted by a space token."""
    text, places = "", []
    for item in items:
        if isinstance(item, Break):
            text = text.rstrip(" ") + item.mark + " "
            continue
        start = len(text)
        text += accent.onsets[item.onset] + (accent.glide if item.glide else "")
        rhyme = len(text)
        text += accent.rhymes.get((item.nucleus, item.coda)) or (
            accent.nuclei[item.nucleus] + accent.codas[item.coda]
        )
        places.append(Place(start, rhyme, len(text) - (1 if item.coda else 0), len(text), item))
        text += " "
    return text.rstrip(" "), places


# The model's own numbers for the letters used above (facts of the model, checked by a test against it).
TOKENS: Mapping[str, int] = {
    ",": 3, ".": 4, "!": 5, "?": 6, " ": 16, "ʨ": 21, "a": 43, "b": 44, "c": 45, "d": 46, "e": 47, "f": 48,
    "h": 50, "i": 51, "j": 52, "k": 53, "l": 54, "m": 55, "n": 56, "o": 57, "p": 58, "r": 60, "s": 61, "t": 62,
    "u": 63, "v": 64, "w": 65, "x": 66, "y": 67, "z": 68, "ɑ": 69, "ɐ": 70, "ɔ": 76, "ɕ": 77, "ɖ": 80, "ð": 81,
    "ə": 83, "ɛ": 86, "ɜ": 87, "ɟ": 90, "ɡ": 92, "ɨ": 101, "ɪ": 102, "ɯ": 110, "ɰ": 111, "ŋ": 112, "ɲ": 114,
    "ɹ": 123, "ɾ": 125, "ɻ": 126, "ʂ": 130, "ʃ": 131, "ʈ": 132, "ʧ": 133, "ʊ": 135, "ʋ": 136, "ʌ": 138,
    "ɣ": 139, "ɤ": 140, "χ": 142, "ʒ": 147, "ʔ": 148, "ː": 158, "ʰ": 162, "ʲ": 164,
}  # fmt: skip
