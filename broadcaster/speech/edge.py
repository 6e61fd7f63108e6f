"""Microsoft's reading voices over the network, through the edge-tts package: an optional extra, at render time only.

The service is not ours and breaks off for weeks at a time: one request at a time, with a pause and a limit
of time; whoever refuses or does not answer is left alone for a while; what comes back must decode as sound.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, Final

from broadcaster.errors import InputError, VoiceError
from broadcaster.model import Pcm
from broadcaster.speech.online import (
    LARGEST_BYTES,
    Manners,
    installed,
    installed_version,
    nothing_to_say,
    sound_of_mp3,
)

VOICES: Final = MappingProxyType({"nu": "vi-VN-HoaiMyNeural", "nam": "vi-VN-NamMinhNeural"})


class EdgeVoice:
    """A female (`nu`) or male (`nam`) voice of the service.  `url` replaces its address in tests."""

    def __init__(
        self,
        name: str = "nu",
        *,
        url: str = "",
        connect_s: int = 5,
        read_s: int = 15,
        sentence_s: float = 45.0,
        pause_s: float = 0.6,
        rest_s: float = 900.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if name not in VOICES:
            raise InputError(f"Giọng Edge không có tên “{name}”; hãy chọn edge:nu hoặc edge:nam.")
        self.name = f"edge:{name}"
        self.label = f"giọng Edge {'nữ' if name == 'nu' else 'nam'} (trực tuyến)"
        self.version = installed_version("edge-tts")
        self._voice = VOICES[name]
        self._url = url
        self._timeouts = (connect_s, read_s)
        self._sentence_s = sentence_s
        self._manners = Manners(self.label, pause_s, rest_s, clock, sleep)

    def available(self) -> str | None:
        """None, or why not.  Does not go to the network: whether the service answers shows at the first sentence."""
        if not installed("edge_tts"):
            return "chưa cài gói edge-tts (pip install -r requirements-edge.txt)"
        return self._manners.resting()

    def speak(self, sentence: str, *, speed: float = 1.0) -> Pcm:
        """One spoken sentence.  VoiceError: no network, refused, no sound in the answer, too slow."""
        if (error := nothing_to_say(sentence)) is not None:
            raise error
        with self._manners.turn(self.available):
            self._manners.pause()
            mp3 = self._asked(sentence, speed)
        return sound_of_mp3(mp3, speed=1.0, label=self.label)

    def close(self) -> None:
        """Nothing is kept open between sentences."""

    def _waited(self, sentence: str, speed: float) -> bytes:
        return asyncio.run(asyncio.wait_for(self._received(sentence, speed), self._sentence_s))

    def _asked(self, sentence: str, speed: float) -> bytes:
        import aiohttp
        from edge_tts.exceptions import EdgeTTSException, NoAudioReceived

        try:
            # a thread of its own: whoever calls may have an event loop running already
            with ThreadPoolExecutor(max_workers=1) as alone:
                return alone.submit(self._waited, sentence, speed).result()
        except TimeoutError as error:
            raise self._manners.leave_alone("không trả lời kịp", shortly=True) from error
        except aiohttp.WSServerHandshakeError as error:
            raise self._manners.leave_alone(f"máy chủ từ chối (mã {error.status})") from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            raise self._manners.leave_alone("không nối được mạng", shortly=True) from error
        except NoAudioReceived as error:
            raise VoiceError(f"Máy chủ của {self.label} không gửi âm thanh.") from error
        except (EdgeTTSException, aiohttp.ClientError, ValueError, KeyError) as error:
            raise VoiceError(f"Máy chủ của {self.label} trả lời sai ({type(error).__name__}).") from error

    async def _received(self, sentence: str, speed: float) -> bytes:
        from edge_tts import communicate

        connect_s, read_s = self._timeouts
        if self._url:
            vars(communicate)["WSS_URL"] = self._url
        asked: Any = communicate.Communicate(
            sentence,
            self._voice,
            rate=f"{round((speed - 1) * 100):+d}%",
            connect_timeout=connect_s,
            receive_timeout=read_s,
        )
        received = bytearray()
        async for chunk in asked.stream():
            if chunk["type"] == "audio":
                received += chunk["data"]
            if len(received) > LARGEST_BYTES:
                raise ValueError("too much")
        return bytes(received)
