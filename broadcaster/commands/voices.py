"""voices list|install|add|audition: what can speak here, what can be added, and what they sound like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from broadcaster.config import Settings, load
from broadcaster.errors import BroadcasterError
from broadcaster.speech import piper
from broadcaster.speech.engines import open_voice

READY = "sẵn sàng"


@click.group("voices", help="Giọng đọc: xem, cài thêm, nghe thử.")
def voices() -> None:
    """Voices of this machine."""


@voices.command("list", help="Mọi giọng mà đài biết: sẵn sàng, hoặc vì sao chưa dùng được.")
def list_command() -> None:
    """Print every voice known, whether it can speak here, and which ones the chain tries first."""
    settings = load()
    chain = [_in_full(spec, settings) for spec in settings.texts("voice.chain")]
    for spec in known(settings):
        place = f" (thứ {chain.index(spec) + 1} trong voice.chain)" if spec in chain else ""
        click.echo(f"{spec:<32} {state_of(spec, settings)}{place}")


@voices.command(
    "install", help="Tải một giọng Piper về máy này; đứt mạng thì chạy lại, phần đã tải được giữ."
)
@click.argument("name")
def install_command(name: str) -> None:
    """Fetch a voice of the catalogue, pinned by SHA-256."""
    settings = load()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        model = piper.install(
            name,
            home=settings.home,
            catalogue=piper.INSTALLABLE,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    licence = next(one.licence for one in piper.INSTALLABLE if one.name == name)
    click.echo(f"Đã cài piper:{model.stem} ({licence}).")
    _say_what_is_missing(model.stem, settings)


@voices.command("add", help="Chép giọng Piper (TÊN.onnx và TÊN.onnx.json) từ một thư mục hoặc USB.")
@click.argument("folder", type=click.Path(path_type=Path))
def add_command(folder: Path) -> None:
    """Copy every Piper voice of a folder."""
    settings = load()
    for name in piper.add(folder, home=settings.home):
        click.echo(f"Đã thêm piper:{name}.")
        _say_what_is_missing(name, settings)


def _say_what_is_missing(name: str, settings: Settings) -> None:
    """The files may be here and the program that speaks them not."""
    state = state_of(f"piper:{name}", settings)
    if not state.startswith(READY):
        click.echo(f"piper:{name} {state}", err=True)


def known(settings: Settings) -> Iterator[str]:
    """Specs of the embedded, neural, online and spare voices, and of what the chain names besides."""
    embedded = [f"kokoro:{path.stem}" for path in sorted(settings.voices.glob("*.json"))]
    neural = [
        f"piper:{name}"
        for name in (*piper.installed(settings.home), *(one.name for one in piper.INSTALLABLE))
    ]
    chain = [_in_full(spec, settings) for spec in settings.texts("voice.chain")]
    seen: set[str] = set()
    for spec in (*embedded, *neural, "gtts", "espeak:vi+f5", "silent", *chain):
        if spec not in seen:
            seen.add(spec)
            yield spec


def _in_full(spec: str, settings: Settings) -> str:
    """`piper` alone means the first installed voice, or the one that is offered."""
    if spec != "piper":
        return spec
    return f"piper:{(*piper.installed(settings.home), piper.INSTALLABLE[0].name)[0]}"


def state_of(spec: str, settings: Settings) -> str:
    """One line about a voice: its label when it can speak here, else the reason."""
    try:
        voice = open_voice(spec, home=settings.home, voices_dir=settings.voices)
    except BroadcasterError as error:
        return f"chưa dùng được: {error.message}"
    try:
        reason = voice.available()
        return f"{READY}, {voice.label}" if reason is None else f"chưa dùng được: {reason}"
    finally:
        voice.close()
