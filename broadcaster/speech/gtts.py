"""Google's reading voice over the network, through the gTTS package: at render time only.

gTTS cuts the text and packs the requests; the sending is done here, because gTTS waits for ever by default,
does not check the server's certificate and leaves empty files behind.  One request at a time, with a pause;
whoever says "too many" is left alone for a while; what comes back must decode as sound.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Callable
from typing import Any, Final

from broadcaster.errors import VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.online import (
    LARGEST_BYTES,
    Manners,
    installed,
    installed_version,
    nothing_to_say,
    sound_of_mp3,
)

ENDPOINT: Final = "https://translate.google.com/_/TranslateWebserverUi/data/batchexecute"
_AUDIO: Final = re.compile(rb'jQ1olc","\[\\"([^"\\]*)\\"\]')


class GttsVoice:
    """The only voice of the service for Vietnamese; `speed` is made by stretching, not by the service."""

    name = "gtts"
    label = "giọng Google (trực tuyến)"

    def __init__(
        self,
        *,
        endpoint: str = ENDPOINT,
        connect_s: float = 5.0,
        read_s: float = 10.0,
        sentence_s: float = 45.0,
        pause_s: float = 0.6,
        rest_s: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.version = installed_version("gTTS")
        self._endpoint = endpoint
        self._timeout = (connect_s, read_s)
        self._sentence_s = sentence_s
        self._clock = clock
        self._manners = Manners(self.label, pause_s, rest_s, clock, sleep)
        self._session: Any = None

    def available(self) -> str | None:
        """None, or why not: the package is missing, or the service was asked to be left alone.

        Does not go to the network: whether the service answers shows at the first sentence.
        """
        return self._manners.resting() if installed("gtts") else "chưa cài gói gTTS"

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One spoken sentence.  VoiceError: no network, refused, no sound in the answer, too slow."""
        with self._manners.turn(self.available):
            deadline = self._clock() + self._sentence_s
            mp3 = b"".join(self._asked(body, deadline) for body in _bodies(sentence))
        return sound_of_mp3(mp3, speed=speed, label=self.label)

    def close(self) -> None:
        """Close the connection."""
        with self._manners.turn(lambda: None):
            if self._session is not None:
                self._session.close()
                self._session = None

    def _asked(self, body: str, deadline: float) -> bytes:
        """MP3 bytes of one piece; a server error or a lost connection is tried once more."""
        import requests

        for attempt in (1, 2):
            try:
                return self._once(body, deadline)
            except _TryAgain as error:
                if attempt == 2 or self._clock() > deadline:
                    raise VoiceError(f"Máy chủ giọng Google báo lỗi {error}.") from error
            except requests.Timeout as error:
                raise self._manners.leave_alone("không trả lời kịp", shortly=True) from error
            except requests.ConnectionError as error:
                if attempt == 2:
                    raise self._manners.leave_alone("không nối được mạng", shortly=True) from error
            except requests.RequestException as error:
                raise VoiceError(f"Không hỏi được giọng Google: {type(error).__name__}.") from error
        raise AssertionError("unreachable")

    def _once(self, body: str, deadline: float) -> bytes:
        import requests
        from gtts import gTTS

        if self._session is None:
            self._session = requests.Session()
        self._manners.pause()
        with self._session.post(
            self._endpoint, data=body, headers=gTTS.GOOGLE_TTS_HEADERS, timeout=self._timeout, stream=True
        ) as answer:
            if answer.status_code == 429:
                raise self._manners.leave_alone("máy chủ báo quá nhiều yêu cầu (429)")
            if answer.status_code >= 500:
                raise _TryAgain(str(answer.status_code))
            if answer.status_code != 200:
                raise VoiceError(f"Máy chủ giọng Google từ chối (mã {answer.status_code}).")
            received = bytearray()
            while block := answer.raw.read1(65_536, decode_content=True):  # what has come, not what should
                received += block
                if len(received) > LARGEST_BYTES:
                    raise VoiceError("Máy chủ giọng Google gửi quá nhiều dữ liệu.")
                if self._clock() > deadline:  # a server that drips a byte a second never times out by itself
                    raise self._manners.leave_alone("trả lời quá chậm", shortly=True)
        found = _AUDIO.search(bytes(received))
        if found is None:
            raise VoiceError("Máy chủ giọng Google không gửi âm thanh.")
        try:
            return base64.b64decode(found[1], validate=True)
        except binascii.Error as error:
            raise VoiceError("Máy chủ giọng Google gửi âm thanh hỏng.") from error


class _TryAgain(Exception):
    """The server's own trouble."""


def _bodies(sentence: str) -> list[str]:
    """Request bodies, a piece of at most 100 letters each.  VoiceError when there is nothing to say."""
    from gtts import gTTS

    if (error := nothing_to_say(sentence)) is not None:
        raise error
    try:
        return list(gTTS(sentence, lang="vi", lang_check=False).get_bodies())
    except AssertionError as refused:  # how gTTS says that nothing is left after cleaning
        raise VoiceError("Câu này không có chữ nào để đọc.") from refused
