"""A programme's own words: one voice throughout, and its partner for the call sign where there is one."""

from __future__ import annotations

from pathlib import Path

from broadcaster.errors import VoiceError
from broadcaster.reading import Lexicon
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.takes import Pauses
from broadcaster.worker.announcing import Announcer
from tests.support.voices import ScriptedVoice


def announcer(tmp_path: Path, *voices: ScriptedVoice) -> Announcer:
    known = {voice.name: voice for voice in voices}
    return Announcer(
        Lexicon(), chain=[voice.name for voice in voices], opener=known.__getitem__,
        cache=SentenceCache(tmp_path), pauses=Pauses(), speed=1.0,
    )  # fmt: skip


def test_whoever_speaks_first_speaks_the_rest(tmp_path: Path) -> None:
    lost = ScriptedVoice("gtts", faults={0: VoiceError("mất mạng")})
    spare = ScriptedVoice("spare")
    say = announcer(tmp_path, lost, spare)
    say("Kính chào bà con.")
    say("Xin hết.")
    assert len(lost.calls) == 1
    assert [words.lower() for words in spare.calls] == ["kính chào bà con.", "xin hết."]


def test_the_partner_of_who_spoke_says_the_call_sign_again(tmp_path: Path) -> None:
    woman, man = ScriptedVoice("kokoro:nu-1"), ScriptedVoice("kokoro:nam-1")
    say = announcer(tmp_path, woman, man)
    say("Đây là đài xã.")
    other = say.other()
    assert other is not None
    other("Đây là đài xã.")
    assert (len(woman.calls), len(man.calls)) == (1, 1)


def test_there_is_no_other_voice_where_the_partner_is_missing(tmp_path: Path) -> None:
    away = announcer(
        tmp_path, ScriptedVoice("kokoro:nu-1"), ScriptedVoice("kokoro:nam-1", reason="chưa cài đủ gói")
    )
    assert away.other() is None
    assert announcer(tmp_path, ScriptedVoice("silent")).other() is None
