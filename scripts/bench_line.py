"""A production line on a scratch folder, with sentences to speak: what the production bench measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np

from broadcaster.model import HOUSE_RATE_HZ, Programme, Reading, RenditionKind, Sentence
from broadcaster.production.encoding import decoded
from broadcaster.production.jingles import jingle_paths
from broadcaster.production.produce import ProgrammeItem
from broadcaster.production.template import Template
from broadcaster.speech.cache import SentenceCache
from broadcaster.speech.engines import Voices
from broadcaster.speech.takes import make_take, words_speaker
from broadcaster.store.blobs import Blobs
from scripts.bench_tools import Row

ROOT = Path(__file__).resolve().parent.parent
VOICE = "espeak:vi+f5"
AIR = (RenditionKind.AIR,)
SENTENCES = (
    "Sáng mai, từ sáu giờ đến mười một giờ, thôn Xuân Phúc tạm ngừng cấp điện để sửa đường dây.",
    "Ủy ban nhân dân xã đề nghị bà con chủ động sắp xếp công việc và sản xuất.",
    "Trạm y tế xã tổ chức tiêm vắc xin phòng bệnh sởi cho trẻ em từ chín tháng tuổi tại nhà văn hóa thôn.",
    "Bà con tuyệt đối không chuyển tiền cho người lạ qua điện thoại, không bấm vào đường dẫn lạ.",
    "Hội nông dân xã mời hội viên dự buổi hướng dẫn chăm sóc lúa vụ đông xuân vào chiều thứ năm.",
    "Mọi thắc mắc xin liên hệ bộ phận một cửa của ủy ban nhân dân xã để được hướng dẫn.",
)


@dataclass
class Bench:
    """Folders, voices and rows of one run."""

    home: Path
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.voices = Voices(home=self.home, voices_dir=ROOT / "audio" / "voices")
        self.cache = SentenceCache(self.home / "cache")
        self.blobs = Blobs(self.home / "blobs")

    def reading(self, seconds: float, *, seed: int = 0) -> Reading:
        """Sentences that espeak speaks for about so long."""
        count = max(1, round(seconds / 7.0))
        texts = [
            f"{SENTENCES[(n + seed) % len(SENTENCES)][:-1]}, mục {spoken_digits(n + seed)}."
            for n in range(count)
        ]
        return Reading("", tuple(Sentence(0, 0, "", text) for text in texts))

    def item(
        self, seconds: float, *, seed: int = 0, title: str = "Thông báo", voice: str = VOICE
    ) -> ProgrammeItem:
        """A bulletin of about that length, its sentences taken from the cache when they are there."""
        reading = self.reading(seconds, seed=seed)
        take = make_take(reading, chain=[voice], opener=self.voices, cache=self.cache, blobs=self.blobs)
        return ProgrammeItem(title, take)

    def order(self, items: Sequence[ProgrammeItem], **changed: Any) -> dict[str, Any]:
        """Arguments of `produce`."""

        def read(text: str) -> Reading:
            return Reading(text, tuple(Sentence(0, 0, "", line) for line in text.split("\n")))

        speak = words_speaker(read, chain=[VOICE], opener=self.voices, cache=self.cache)
        arguments: dict[str, Any] = {
            "items": items,
            "template": Template(
                greeting="Kính chào bà con và các đồng chí.",
                headlines="",
                closing="Xin kính chào và hẹn gặp lại.",
            ),
            "station_name": "Đài truyền thanh xã",
            "call_sign": "Đây là Đài truyền thanh xã Như Thanh",
            "local_date": date(2026, 11, 24),
            "start_local": time(5, 30),
            "jingles": jingle_paths(ROOT / "audio" / "jingles" / "default"),
            "speak_words": speak,
            "blobs": self.blobs,
            "kinds": AIR,
            "scratch": self.home / "scratch",
        }
        return arguments | changed

    def sound(self, programme: Programme) -> Any:
        """The decoded air file."""
        path = self.blobs.path(programme.renditions[0].sha256, suffix="mp3")
        return np.concatenate(list(decoded(path, rate_hz=HOUSE_RATE_HZ, timeout_s=600)))


def spoken_digits(number: int) -> str:
    """A number digit by digit, in words."""
    digits = "không một hai ba bốn năm sáu bảy tám chín".split()
    return " ".join(digits[int(digit)] for digit in str(number))
