"""voices list|install|add|audition: what can speak here, what can be added, and what they sound like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from broadcaster.config import Settings, load
from broadcaster.errors import BroadcasterError, StoreError, VoiceError
from broadcaster.speech import audition, auditions, piper
from broadcaster.speech.engines import open_voice
from broadcaster.speech.kokoro import model as kokoro_model
from broadcaster.speech.sound import to_flac

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
    "install",
    help="Tải một giọng Piper, hoặc mô hình giọng nhúng (kokoro), về máy này; đứt mạng thì chạy lại, phần đã tải được giữ.",
)
@click.argument("name")
def install_command(name: str) -> None:
    """Fetch a voice of the catalogue, or the embedded model (`kokoro`), pinned by SHA-256."""
    settings = load()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        if name == "kokoro":
            kokoro_model.install(
                home=settings.home / "var" / "voices",
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
            click.echo("Đã tải mô hình giọng nhúng (Kokoro-82M, Apache-2.0).")
            return
        model = piper.install(
            name,
            home=settings.home,
            catalogue=piper.INSTALLABLE,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    licence = next(one.licence for one in piper.INSTALLABLE if one.name == name)
    click.echo(f"Đã cài piper:{model.stem} ({licence}).")
    _say_what_is_missing(model.stem, settings)


@voices.command(
    "add",
    help="Chép giọng Piper (TÊN.onnx và TÊN.onnx.json) hay mô hình giọng nhúng từ một thư mục hoặc USB.",
)
@click.argument("folder", type=click.Path(path_type=Path))
def add_command(folder: Path) -> None:
    """Copy every Piper voice of a folder, and the embedded model when it is there."""
    settings = load()
    if (folder / kokoro_model.SOURCE_FILE).is_file():
        kokoro_model.add(folder, home=settings.home / "var" / "voices")
        click.echo("Đã thêm mô hình giọng nhúng.")
        if len(list(folder.glob("*.onnx"))) == 1:
            return
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


@voices.command(
    "audition",
    help="Làm phiếu nghe thử (một tệp HTML tự đủ); hoặc nhận các tệp kết quả, giữ lại và cho bảng điểm.",
)
@click.argument("results", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--voice",
    "specs",
    multiple=True,
    help="Giọng cần nghe thử, nhiều lần được; mặc định: mọi giọng sẵn sàng.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("phieu-nghe-thu.html")
)
@click.option("--seed", type=int, default=1, help="Thứ tự trộn câu.")
def audition_command(results: tuple[Path, ...], specs: tuple[str, ...], output: Path, seed: int) -> None:
    """A page on which people judge the voices; with RESULTS, the table of what they said."""
    settings = load()
    if results:
        rows = auditions.keep(
            [path.read_bytes() for path in results], folder=settings.home / "var" / "voices"
        )
        for row in rows:
            mark = f"{row.mark:.1f} điểm" if row.mark is not None else "chưa có điểm"
            wrong = f"nghe sai {row.error:.0%} số tiếng" if row.error is not None else "chưa ghi lại câu nào"
            click.echo(f"{row.voice:<32} {mark}, {wrong} ({row.listeners} phiếu, {row.answers} câu)")
        return
    clips = [
        clip for spec in specs or tuple(known(settings)) for clip in _clips(spec, settings, named=bool(specs))
    ]
    text = audition.page(clips, station=settings.home.name, seed=seed)
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Không ghi được {output} ({error.strerror}); hãy chọn nơi khác bằng -o.") from error
    click.echo(f"Đã làm {output}: {len(clips)} câu. Mở bằng trình duyệt, nghe và gửi lại tệp kết quả.")


def _clips(spec: str, settings: Settings, *, named: bool) -> list[audition.Clip]:
    """The ten sentences in one voice; a voice that was not asked for by name and cannot speak gives none."""
    if spec == "silent" and not named:
        return []
    voice = open_voice(spec, home=settings.home, voices_dir=settings.voices)
    try:
        if (reason := voice.available()) is not None:
            if named:
                raise VoiceError(f"{spec} chưa dùng được: {reason}")
            return []
        try:
            return [
                audition.Clip(spec, sentence, to_flac(voice.speak(sentence)), "audio/flac", voice.version)
                for sentence in audition.SENTENCES
            ]
        except VoiceError as error:
            if named:
                raise
            click.echo(f"Bỏ qua {spec}: {error.message}", err=True)
            return []
    finally:
        voice.close()
