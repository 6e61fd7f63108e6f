"""read, speak, produce: from a text to words, to a voice, to a whole programme; no database."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from broadcaster.config import Settings, load
from broadcaster.errors import BroadcasterError, InputError, ReadingBlocked
from broadcaster.model import Pause, Profile, Reading, Sentence
from broadcaster.reading import read, reading_to_json, spoken
from broadcaster.step import Step

SPEED = click.FloatRange(0.7, 1.3)


@click.command("read", help="In ra cách đọc của văn bản, mỗi câu một dòng.")
@click.argument("file", required=False, default="-")
@click.option("--json", "as_json", is_flag=True, help="In JSON: câu viết, câu đọc, chỗ đổi, cảnh báo.")
def read_command(file: str, as_json: bool) -> None:
    """Read a document and print what would be spoken."""
    reading = read(_text_of(file, load()))
    if as_json:
        click.echo(json.dumps(reading_to_json(reading), ensure_ascii=False, indent=1))
        return
    click.echo(reading.spoken)
    for warning in reading.warnings:
        click.echo(f"Cần trả lời: “{warning.written}”: {warning.message}", err=True)


@click.command("speak", help="Đọc văn bản thành tiếng (WAV), không nhạc hiệu.")
@click.argument("file", required=False, default="-")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@click.option("--voice", help="MÁY[:TÊN], ví dụ kokoro:nu-1, espeak:vi+f5, gtts, silent.")
@click.option("--speed", type=SPEED, default=None, help="0,7 đến 1,3.")
@click.option("--fragment", is_flag=True, help="Đọc như một mẩu chữ: không bỏ phần nào.")
@click.option("--accept-warnings", is_flag=True, help="Đọc cả khi còn chỗ chưa rõ cách đọc.")
def speak_command(
    file: str, output: Path, voice: str | None, speed: float | None, fragment: bool, accept_warnings: bool
) -> None:
    """Speak a document, or a fragment, into a WAV file."""
    from broadcaster.commands.showing import shown
    from broadcaster.studio import Studio

    settings = load()
    _writable(output)
    text = _text_of(file, settings)
    reading = _fragment(text) if fragment else _accepted(read(text), accept_warnings)
    with (
        undisturbed(),
        shown() as show,
        Studio(settings, chain=(voice,) if voice else None, speed=speed) as room,
    ):
        spoken_by = room.speak_to_wav(
            reading, output, progress=lambda stage, done, total: show(_step(stage, done, total))
        )
    click.echo(f"{output}: {spoken_by}", err=True)


@click.command(
    "produce",
    help="Dựng cả chương trình (MP3, hoặc WAV) từ một văn bản: nhạc hiệu, lời xướng, bản tin. "
    "Với --all hay --date thì dựng các chương trình của lịch phát.",
)
@click.argument("file", required=False, default="-")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--voice", help="MÁY[:TÊN], ví dụ kokoro:nu-1, espeak:vi+f5, gtts, silent.")
@click.option("--profile", type=click.Choice([str(p) for p in Profile]), default=str(Profile.HORN))
@click.option("--accept-warnings", is_flag=True, help="Dựng cả khi còn chỗ chưa rõ cách đọc.")
@click.option(
    "--at", "airs_at", type=click.DateTime(["%Y-%m-%dT%H:%M"]),
    help="Lúc sẽ phát (NĂM-THÁNG-NGÀYTGIỜ:PHÚT): lời chào nói ngày giờ ấy; không có thì là bây giờ.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Dựng mọi chương trình của lịch phát sắp tới.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Chỉ tới hết ngày này (NĂM-THÁNG-NGÀY)."
)
def produce_command(
    file: str,
    output: Path | None,
    voice: str | None,
    profile: str,
    accept_warnings: bool,
    airs_at: datetime | None,
    everything: bool,
    day: datetime | None,
) -> None:
    """Make a whole programme from one text, without a database; or all that the plan asks for."""
    if everything or day is not None:
        if output is not None or voice is not None or airs_at is not None or file != "-":
            raise click.UsageError("--all và --date dựng theo lịch: không đi cùng tệp, -o, --voice hay --at.")
        _planned(day.date() if day is not None else None)
        return
    if output is None:
        raise click.UsageError("Thiếu -o TỆP.mp3 (hoặc TỆP.wav), hay --all, --date.")
    from broadcaster.commands.showing import shown
    from broadcaster.studio import Studio

    settings = load()
    _writable(output)
    reading = _accepted(read(_text_of(file, settings)), accept_warnings)
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    title = reading.sentences[0].written.strip() if reading.sentences else "Bản tin"
    with (
        undisturbed(),
        tempfile.TemporaryDirectory() as folder,
        shown() as show,
        Studio(settings, chain=(voice,) if voice else None) as room,
    ):
        programme = room.produce_one(
            reading, title=title[:120], blobs_folder=Path(folder), now=airs_at or datetime.now(zone),
            profile=Profile(profile), output=output,
            progress=lambda stage, done, total: show(_step(stage, done, total)),
        )  # fmt: skip
    click.echo(
        f"{output}: {programme.duration_ms / 1000:.1f} giây, {programme.loudness_lufs:.1f} LUFS, "
        f"đỉnh {programme.true_peak_dbtp:.1f} dBTP",
        err=True,
    )


def _planned(day: date | None) -> None:
    """Every programme of the horizon, or of the days up to `day`, nearest first."""
    from broadcaster.commands.common import opened
    from broadcaster.commands.run import list_programmes
    from broadcaster.commands.showing import shown
    from broadcaster.rehearsal import Rehearsal

    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    until = datetime.combine(day + timedelta(days=1), time(), zone) if day is not None else None
    with opened() as (settings, db), undisturbed():
        with shown() as show:
            made = Rehearsal(settings, db, now=lambda: datetime.now(UTC), show=show).everything(until=until)
        if not made:
            raise InputError("Không có chương trình nào dựng được. Hãy xem lịch: python -m broadcaster plan")
        list_programmes(made)


def _step(stage: str, done: int, total: int) -> Step:
    return Step("Đọc câu" if stage == "đọc" else stage.capitalize(), done, total)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl+C in the middle is one sentence; what was half written is gone by then."""
    try:
        yield
    except KeyboardInterrupt:
        raise BroadcasterError(
            "Đã dừng giữa chừng; không để lại tệp dở nào. Chạy lại lệnh để làm tiếp."
        ) from None


def _writable(output: Path) -> None:
    """Refuse before minutes of speech what could not be written after them."""
    folder = output.resolve().parent
    if not folder.is_dir():
        raise InputError(f"Không có thư mục {folder}. Hãy tạo thư mục đó, hoặc chọn chỗ khác cho -o.")
    if not os.access(folder, os.W_OK):
        raise InputError(f"Không có quyền ghi vào {folder}. Hãy chọn chỗ khác cho -o.")


def _accepted(reading: Reading, accept_warnings: bool) -> Reading:
    if not reading.sentences:
        raise InputError("Văn bản không có câu nào để đọc. Hãy kiểm tra lại tệp.")
    if reading.blocking and not accept_warnings:
        lines = "\n".join(f"  - “{w.written}”: {w.message}" for w in reading.warnings)
        raise ReadingBlocked(
            f"Còn {len(reading.warnings)} chỗ chưa rõ cách đọc:\n{lines}\n"
            "Hãy sửa văn bản, hoặc thêm --accept-warnings để vẫn đọc."
        )
    return reading


def _fragment(text: str) -> Reading:
    words = spoken(text)
    if not words:
        raise InputError("Không có chữ nào để đọc. Hãy kiểm tra lại văn bản.")
    return Reading(text, (Sentence(0, len(text), text, words, pause=Pause.SENTENCE),))


def _text_of(file: str, settings: Settings) -> str:
    """Text of a .txt or .docx (told apart by content), or of standard input."""
    from broadcaster.newsroom.importing import import_document

    if file == "-":
        data, name = sys.stdin.buffer.read(), "văn bản nhập vào"
    else:
        path = Path(file)
        if not path.is_file():
            raise InputError(f"Không thấy tệp {path}. Hãy kiểm tra lại đường dẫn.")
        data, name = path.read_bytes(), path.name
    document = import_document(data, name, max_chars=settings.integer("newsroom.max_text_chars"))
    for note in document.notes:
        click.echo(note, err=True)
    return document.text
