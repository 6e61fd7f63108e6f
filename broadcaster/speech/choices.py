"""Which voices a person may choose for a bulletin, by name; opens no engine and loads no library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from broadcaster.speech import auditions

LABELS = {
    "gtts": "giọng Google (cần mạng)",
    "edge": "giọng Edge (cần mạng)",
    "espeak": "giọng máy dự phòng",
    "silent": "im lặng (chỉ để thử)",
}
SPARE = ("espeak", "silent")  # what no listener should hear unless nothing else speaks


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """A voice by its spec (`ENGINE[:NAME]`) and as people call it."""

    spec: str
    label: str


def voice_choices(chain: Sequence[str], *, home: Path, voices_dir: Path) -> list[VoiceChoice]:
    """The embedded voices, the Piper voices of this machine, and what the chain names besides."""
    found = {spec: label for spec, label in (*_embedded(home, voices_dir), *_piper(home))}
    for spec in chain:
        if spec not in found and spec not in ("piper", "recorded"):
            found[spec] = label_of(spec, home=home, voices_dir=voices_dir)
    return [VoiceChoice(spec, label) for spec, label in found.items()]


def label_of(spec: str, *, home: Path, voices_dir: Path) -> str:
    """What people call a voice: "giọng máy nữ (thử nghiệm)" for `kokoro:nu-1`; the spec when nobody named it."""
    engine, _, name = spec.partition(":")
    if engine == "kokoro":
        return dict(_embedded(home, voices_dir)).get(f"kokoro:{name or 'nu-1'}", spec)
    if engine == "piper":
        return f"giọng Piper {name}".strip()
    return LABELS.get(engine, spec)


def is_spare(voice: str) -> bool:
    """True when the voice that spoke is one that is hard to understand outdoors."""
    return voice.partition(":")[0].partition("+")[0] in SPARE


def _embedded(home: Path, voices_dir: Path) -> list[tuple[str, str]]:
    found = []
    for file in sorted(voices_dir.glob("*.json")):
        spec, plain = f"kokoro:{file.stem}", str(json.loads(file.read_text(encoding="utf-8"))["label"])
        found.append((spec, auditions.label_from_file(spec, plain, home=home, file=file)))
    return found


def _piper(home: Path) -> list[tuple[str, str]]:
    from broadcaster.speech.piper import installed  # brings numpy: only where somebody asks

    return [(f"piper:{name}", f"giọng Piper {name}") for name in installed(home)]
