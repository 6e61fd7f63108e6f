"""report: a period's figures as .docx, .xlsx, .pdf, .csv or with their evidence as .zip, or on the screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.commands.common import opened, station_option, the_station
from broadcaster.errors import InputError, NotFound, StoreError
from broadcaster.report.figures import Choice, Figures
from broadcaster.report.narrative import amounts, channel, lacking
from broadcaster.report.paper import Paper
from broadcaster.report.papers import logbook_of, paper_of, report_of
from broadcaster.report.period import Period, days_between, month_of, parse_period, week_of
from broadcaster.report.wording import number, share
from broadcaster.store.blobs import Blobs
from broadcaster.store.tables import Station, Topic, Village
from broadcaster.whole import whole

KINDS = (".docx", ".xlsx", ".pdf", ".csv", ".zip")


@click.command("report", help="Báo cáo một kỳ: kế hoạch, nhật ký máy phát, xác nhận của thôn đứng ba cột.")
@click.option(
    "--period",
    "period_text",
    help="Kỳ: 2026-11, 2026-Q4, 2026, 2026-W48 hoặc 2026-11-01..2026-11-15; mặc định tháng này.",
)
@click.option("--from", "first", help="Ngày đầu, dạng 2026-11-01 (đi cùng --to).")
@click.option("--to", "last", help="Ngày cuối.")
@click.option("--topic", help="Chỉ một chủ đề (mã chủ đề).")
@click.option("--village", help="Chỉ một thôn (mã thôn).")
@click.option(
    "--book", is_flag=True, help="Sổ nhật ký chương trình phát thanh (mặc định tuần này), ra .docx hoặc .pdf."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Tệp .docx, .xlsx, .pdf, .csv, hoặc .zip (cả minh chứng); không có thì in ra màn hình.",
)
@station_option
def report_command(
    period_text: str | None,
    first: str | None,
    last: str | None,
    topic: str | None,
    village: str | None,
    book: bool,
    output: Path | None,
    station: str | None,
) -> None:
    """Count a period and write it down."""
    if output is not None and output.suffix.lower() not in KINDS:
        raise InputError(
            f"Không biết ghi tệp “{output.suffix or output.name}”. Hãy đặt đuôi {', '.join(KINDS)}."
        )
    asked = _period(period_text, first, last)
    with opened() as (settings, db):
        found = the_station(db, station)
        now = datetime.now(UTC)
        today = now.astimezone(ZoneInfo(found.zone)).date()
        period = asked or (week_of(today) if book else month_of(today))
        with db.reading(station_id=found.id) as session:
            if book:
                _write_book(session, found, period, output, now)
                return
            choice = _choice(session, topic, village)
            shown = report_of(session, found, period, now=now, choice=choice)
            if output is not None:
                blobs = Blobs(settings.blobs_url)
                _write(output, lambda out: _make(session, found, shown, output, blobs, out))
    if output is None:
        _print(shown)
        return
    click.echo(f"{output}: {number(shown.total.airings)} buổi, {number(shown.total.villages)} lượt thôn")


def _write_book(
    session: Session, station: Station, period: Period, output: Path | None, now: datetime
) -> None:
    if output is None or output.suffix.lower() not in (".docx", ".pdf"):
        raise InputError("Sổ nhật ký ghi ra .docx hoặc .pdf. Hãy thêm, ví dụ: -o so-nhat-ky.docx")
    paper = logbook_of(session, station, period, now=now)
    _write(output, lambda out: out.write(_paper(output)(paper)))
    click.echo(f"{output}: {period.label}")


def _make(
    session: Session, station: Station, shown: Figures, output: Path, blobs: Blobs, out: IO[bytes]
) -> None:
    kind = output.suffix.lower()
    if kind == ".zip":
        from broadcaster.report.evidence import write_evidence

        write_evidence(session, station, shown, blobs=blobs, out=out)
    elif kind == ".xlsx":
        from broadcaster.report.workbook import workbook

        out.write(workbook(shown))
    elif kind == ".csv":
        from broadcaster.report.rows import write_rows

        write_rows(shown, out)
    else:
        out.write(_paper(output)(paper_of(session, station, shown)))


def _paper(output: Path) -> Callable[[Paper], bytes]:
    if output.suffix.lower() == ".pdf":
        from broadcaster.report.pdf import pdf

        return pdf
    from broadcaster.report.docx import docx

    return docx


def _write(output: Path, make: Callable[[IO[bytes]], object]) -> None:
    """All of the file or nothing of it: an earlier one stays as it was until the new one is whole."""
    try:
        with whole(output) as out:
            make(out)
    except OSError as error:
        raise StoreError(
            f"Chưa ghi được {output}: {error.strerror}. Hãy đóng tệp đang mở, hoặc chọn chỗ khác."
        ) from error


def _print(shown: Figures) -> None:
    total = shown.total
    click.echo(f"{shown.ledger.station}, {shown.ledger.period.label}")
    click.echo(f"{'':<24}{'theo lịch':>12}{'máy phát':>12}{'thôn':>12}")
    for name, values in (
        ("Buổi phát", (total.airings, total.airings_played, total.airings_confirmed)),
        ("Lượt thôn", (total.villages, total.villages_played, total.villages_confirmed)),
        ("Lượt tin bài", (total.pieces, total.pieces_played, total.pieces_confirmed)),
        ("Số tin bài", (total.bulletins, total.bulletins_played, total.bulletins_confirmed)),
    ):
        click.echo(f"{name:<24}" + "".join(f"{number(value):>12}" for value in values))
    click.echo(
        f"Lượt máy thu phát đủ {number(total.receivers_played)}/{number(total.receivers)} "
        f"({share(total.receivers_played, total.receivers)})"
    )
    for line in shown.by_topic:
        click.echo(
            f"  {line.label}: {number(line.tally.pieces_played)}/{number(line.tally.pieces)} lượt tin bài"
        )
    for one in shown.targets:
        click.echo(f"  {one.topic}, đến {one.until:%d/%m/%Y}: {amounts(one)}; {lacking(one)}")
    for name, count in shown.posts_by_network.items():
        click.echo(f"  đăng trên mạng, {channel(name)}: {number(count)} lượt")
    for miss in shown.misses:
        click.echo(f"  ! {number(miss.count)} × {miss.what}: {miss.reason}")


def _choice(session: Session, topic: str | None, village: str | None) -> Choice:
    ids: dict[str, int | None] = {"topic": None, "village": None}
    for name, slug, table in (("topic", topic, Topic), ("village", village, Village)):
        if slug is None:
            continue
        known = {row_slug: key for row_slug, key in session.execute(select(table.slug, table.id))}
        if slug not in known:
            what = "chủ đề" if name == "topic" else "thôn"
            raise NotFound(f"Không có {what} “{slug}”. Các {what}: {', '.join(sorted(known)[:12])}")
        ids[name] = known[slug]
    return Choice(topic=ids["topic"], village=ids["village"])


def _period(text: str | None, first: str | None, last: str | None) -> Period | None:
    if text is not None:
        if first or last:
            raise click.UsageError("Dùng --period hoặc cặp --from, --to, không dùng cả hai.")
        return parse_period(text)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise click.UsageError("--from và --to đi thành cặp.")
    return days_between(_day(first, "--from"), _day(last, "--to"))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("ngày viết dạng 2026-11-24", param_hint=option) from None
