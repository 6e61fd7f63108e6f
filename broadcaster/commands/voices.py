"""voices list|install|add|audition: what can speak here, what can be added, and what they sound like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from broadcaster.config import Settings, load
from broadcaster.errors import BroadcasterError
from broadcaster.speech.engines import open_voice


@click.group("voices", help="Giọng đọc: xem, cài thêm, nghe thử.")
def voices() -> None:
    """Voices of this machine."""


@voices.command("list", help="Mọi giọng mà đài biết: sẵn sàng, hoặc vì sao chưa dùng được.")
def list_command() -> None:
    """Print every voice known, whether it can speak here, and which ones the chain tries first."""
    settings = load()
    chain = settings.texts("voice.chain")
    for spec in known(settings):
        place = f" (thứ {chain.index(spec) + 1} trong voice.chain)" if spec in chain else ""
        click.echo(f"{spec:<32} {state_of(spec, settings)}{place}")


def known(settings: Settings) -> Iterator[str]:
    """Specs of the embedded, online, installed and spare voices, and of what the chain names besides."""
    embedded = [f"kokoro:{path.stem}" for path in sorted(settings.voices.glob("*.json"))]
    seen: set[str] = set()
    for spec in (*embedded, "gtts", "espeak:vi+f5", "silent", *settings.texts("voice.chain")):
        if spec not in seen:
            seen.add(spec)
            yield spec


def state_of(spec: str, settings: Settings) -> str:
    """One line about a voice: its label when it can speak here, else the reason."""
    try:
        voice = open_voice(spec, home=settings.home, voices_dir=settings.voices)
    except BroadcasterError as error:
        return f"chưa dùng được: {error.message}"
    try:
        reason = voice.available()
        return f"sẵn sàng, {voice.label}" if reason is None else f"chưa dùng được: {reason}"
    finally:
        voice.close()
