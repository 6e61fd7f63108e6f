"""What differs between two revisions, sentence by sentence and word by word, so that templates only print.  Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.model import Reading

ALIKE = 0.45  # two sentences that share less than this are another sentence, not a changed one


@dataclass(frozen=True, slots=True)
class Word:
    """Some words of a changed sentence: `kind` is same, del or ins."""

    text: str
    kind: str = "same"


@dataclass(frozen=True, slots=True)
class Changed:
    """One sentence that is not as it was: `kind` is added, removed, changed, or said (read otherwise)."""

    kind: str
    before: str
    after: str
    words: tuple[Word, ...] = ()


def changed_sentences(before: Reading, after: Reading) -> list[Changed]:
    """What differs between two readings as written; and what is written alike but spoken otherwise."""
    old, new = before.sentences, after.sentences
    matcher = difflib.SequenceMatcher(
        None, [one.written for one in old], [one.written for one in new], autojunk=False
    )
    found: list[Changed] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found += [
                Changed("said", one.spoken, two.spoken, words_of(one.spoken, two.spoken))
                for one, two in zip(old[a:b], new[c:d], strict=True)
                if one.spoken != two.spoken
            ]
        else:
            found += _pair([one.written for one in old[a:b]], [one.written for one in new[c:d]])
    return found


def words_of(before: str, after: str) -> tuple[Word, ...]:
    """A sentence with its removed and added words marked."""
    old, new = before.split(), after.split()
    found: list[Word] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Word(" ".join(old[a:b])))
            continue
        if b > a:
            found.append(Word(" ".join(old[a:b]), "del"))
        if d > c:
            found.append(Word(" ".join(new[c:d]), "ins"))
    return tuple(found)


def _pair(old: Sequence[str], new: Sequence[str]) -> list[Changed]:
    """Sentences of one changed stretch: alike ones are changed ones, the others went or came."""
    found: list[Changed] = []
    rest = list(old)
    for sentence in new:
        like = next((one for one in rest if _alike(one, sentence)), None)
        if like is None:
            found.append(Changed("added", "", sentence))
            continue
        while rest and rest[0] != like:
            found.append(Changed("removed", rest.pop(0), ""))
        rest.remove(like)
        found.append(Changed("changed", like, sentence, words_of(like, sentence)))
    return [*found, *(Changed("removed", one, "") for one in rest)]


def _alike(one: str, other: str) -> bool:
    return difflib.SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio() >= ALIKE
