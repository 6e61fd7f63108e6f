"""What a Vietnamese syllable looks like, how letters are named, which words a voice cannot say."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ONSETS = ["", *"b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split()]
_ONSETS.sort(key=len, reverse=True)
_RIMES = frozenset(
    """a ac ach ai am an ang anh ao ap at au ay ă ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt
    iêu o oc oi om on ong oong ooc op ot oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng
    oăt oe oen oeo oet oem ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uân uâng uât
    uây uâ uơ uê uêch uênh uêt uên uy uya uych uynh uyt uyn uyp uyu uyên uyêt uôc uôi uôm uôn uông uôp uôt ư ưa
    ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu y yêm yên yêng yêt yêu uao uau uăng uăn uăt uăc
    uan uang uanh uat uai uay uach uac ue uen ueo uet êng êc""".split()
)
_QU_RIMES = frozenset(
    """a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e en eo et ê êch
    ên ênh êt êu i ia ich in inh it iu iên iêt y ych yên yêt ynh yt yp ơ ơi ơn ơt ôc ông ôi""".split()
)
_TONES = {"\u0300": "f", "\u0301": "s", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_STOPS = ("c", "ch", "p", "t")
LETTER_NAMES = {
    **{"a": "a", "ă": "á", "â": "ớ", "b": "bê", "c": "xê", "d": "dê", "đ": "đê", "e": "e", "ê": "ê"},
    **{"f": "ép", "g": "giê", "h": "hát", "i": "i", "j": "giê", "k": "ca", "l": "lờ", "m": "em", "n": "en"},
    **{"o": "o", "ô": "ô", "ơ": "ơ", "p": "pê", "q": "quy", "r": "rờ", "s": "ét", "t": "tê", "u": "u"},
    **{"ư": "ư", "v": "vê", "w": "vê kép", "x": "ích", "y": "i", "z": "dét"},
}
_VOWELS = frozenset("aeiouyăâêôơư")


def strip_tone(word: str) -> tuple[str, str]:
    """(word without its tone mark, tone letter or "")."""
    tone = ""
    kept = []
    for c in unicodedata.normalize("NFD", word):
        if c in _TONES:
            tone += _TONES[c]
        else:
            kept.append(c)
    return unicodedata.normalize("NFC", "".join(kept)), tone


@lru_cache(maxsize=32768)
def is_syllable(word: str) -> bool:
    """True when `word` (any case) is a well-formed Vietnamese syllable, tone included."""
    if not word or len(word) > 8:
        return False
    base, tone = strip_tone(word.lower())
    if len(tone) > 1:
        return False
    for onset in _ONSETS:
        if not base.startswith(onset):
            continue
        rime = base[len(onset) :]
        if onset == "qu":
            good = rime in _QU_RIMES
        elif onset == "gi":
            good = rime in _RIMES or rime in ("n", "")
        else:
            good = rime in _RIMES
        if good and (onset not in ("k", "gh", "ngh") or rime[0] in "eêiy"):
            if not rime.endswith(_STOPS) or tone in ("s", "j"):
                return True
    return False


@lru_cache(maxsize=8192)
def has_vowel(word: str) -> bool:
    """True when the word holds a letter a voice can rest on."""
    return any(c in _VOWELS for c in strip_tone(word.lower())[0])


def latin(word: str) -> bool:
    """True when every character is a letter of some Latin alphabet (or below U+0250)."""
    return all(c < "\u0250" or "\u1e00" <= c <= "\u1eff" for c in word)


def spell(letters: str) -> str:
    """Names of the letters, Northern radio style: OTP → o tê pê."""
    names = (_letter_name(c) for c in letters.lower())
    return " ".join(name for name in names if name)


@lru_cache(maxsize=512)
def _letter_name(letter: str) -> str:
    base = strip_tone(letter)[0]
    return LETTER_NAMES.get(base) or LETTER_NAMES.get(unicodedata.normalize("NFD", base)[:1], "")


@lru_cache(maxsize=2048)
def split_syllables(label: str, common: frozenset[str] = frozenset()) -> str | None:
    """An unaccented run of syllables, as in web addresses: "dichvucong" → "dich vu cong"; None if it is not.

    `common` are syllables to prefer where a run can be cut in two ways: "vanhoa" is "van hoa", not "va nhoa".
    """
    label = label.lower()
    size = len(label)
    if not label.isascii() or not label.isalpha() or size > 40:
        return None
    best: list[tuple[int, list[str]] | None] = [None] * (size + 1)
    best[0] = (0, [])
    for end in range(1, size + 1):
        for start in range(max(0, end - 6), end):
            before = best[start]
            if before is None or not _bare_syllable(label[start:end]):
                continue
            cost = before[0] + (30 if end - start == 1 else 10 if label[start:end] in common else 14)
            here = best[end]
            if here is None or cost < here[0]:
                best[end] = (cost, [*before[1], label[start:end]])
    found = best[size]
    return " ".join(found[1]) if found else None


def in_syllables(word: str) -> bool:
    """True for a word of several syllables that any voice can say as it is written: vitamin, kali; not site."""
    return not re.search(r"[^aeiouy]e$", word) and split_syllables(word) is not None


def bare(words: str) -> frozenset[str]:
    """The syllables of a text without any mark, as they stand in addresses: "văn hóa" → van, hoa."""
    return frozenset(plain(word) for word in words.lower().split())


def plain(word: str) -> str:
    """A lower-case syllable without any mark: hóa → hoa."""
    return strip_tone(word)[0].translate(_BARE)


_BARE = str.maketrans("ăâêôơưđ", "aaeooud")


@lru_cache(maxsize=1)
def _bare_rimes() -> frozenset[str]:
    return frozenset(rime.translate(_BARE) for rime in _RIMES | _QU_RIMES)


@lru_cache(maxsize=8192)
def _bare_syllable(word: str) -> bool:
    rimes = _bare_rimes()
    return any(
        word.startswith(onset) and (word[len(onset) :] in rimes or (onset == "gi" and word == "gi"))
        for onset in _ONSETS
        if "đ" not in onset
    )
