"""Villages to call, with a message ready for Zalo; a list of villages from a spreadsheet; packs for USB sticks."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from broadcaster.delivery.followup import reminder, to_call
from broadcaster.delivery.usb import content_key, write_zip
from broadcaster.errors import BroadcasterError, InputError, NotFound
from broadcaster.naming import plain_name
from broadcaster.newsroom.people import record
from broadcaster.newsroom.villagelist import HEADERS, RowError, apply_list, read_list
from broadcaster.schedule.plan import plan_days
from broadcaster.store.tables import Village
from web.deps import deps, now, reading, station, today, writing
from web.errors import status_of
from web.security import actor, needs
from web.villages import link_of
from web.words import parse_day

bp = Blueprint("followup", __name__, url_prefix="/thon")
EXAMPLES = (
    ("Thôn Đồng Lớn", "Lê Văn Bảy", "0912 000 101"),
    ("Tổ dân phố 1", "Nguyễn Thị Mận", "0912 000 102"),
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
USB_DAYS, KEEP_USB_PACKS = 7, 10


@bp.get("/can-goi")
@needs("villages")
def calls() -> ResponseReturnValue:
    """Which villages lack something on a day."""
    day = parse_day(request.args.get("ngay", "")) or today()
    with reading() as session:
        rows = to_call(session, day, now=now())
        told = [(row, reminder(row, station=station().name, link=link_of(row.village).url)) for row in rows]
        return render_template("followup.html", rows=told, day=day)


@bp.get("/nhap")
@needs("villages")
def import_form() -> ResponseReturnValue:
    """The form, with a sample to download."""
    return render_template("village_import.html", errors=[])


@bp.post("/nhap")
@needs("villages")
def import_list() -> ResponseReturnValue:
    """Take a list in; with any wrong row nothing is changed, and every wrong row is named."""
    file = request.files.get("file")
    errors: list[RowError] = []
    try:
        if file is None or not file.filename:
            raise InputError("Hãy chọn tệp danh sách thôn (.xlsx hoặc .csv).")
        rows, errors = read_list(file.read(), file.filename)
        if errors:
            raise InputError(
                f"Có {len(errors)} dòng chưa đúng nên chưa nhập gì. Hãy sửa trong tệp rồi gửi lại."
            )
        with writing() as session:
            done = apply_list(session, rows, station_id=station().id)
            record(
                session, station_id=station().id, actor=actor(session), action="nhập danh sách thôn",
                subject=file.filename, detail={"added": done.added, "changed": done.changed}, now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        return render_template("village_import.html", errors=errors, error=error), status_of(error)
    flash(f"Đã thêm {done.added} thôn, sửa {done.changed} thôn, {done.same} thôn giữ nguyên.")
    return redirect(url_for("villages.listing"), 303)


@bp.get("/mau.csv")
@needs("villages")
def sample_csv() -> ResponseReturnValue:
    """A list to fill in."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows([HEADERS, *EXAMPLES])
    # Excel needs the mark to see the Vietnamese letters.
    return _download(text.getvalue().encode("utf-8-sig"), "text/csv", "csv")


@bp.get("/mau.xlsx")
@needs("villages")
def sample_xlsx() -> ResponseReturnValue:
    """The same as a workbook."""
    import openpyxl  # only here: it is 8 MB that no page needs

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Thôn"
    for row in (HEADERS, *EXAMPLES):
        sheet.append(row)
    for cell in sheet["C"]:
        cell.number_format = "@"  # text: a number would lose its zero
    for column, width in (("A", 30), ("B", 28), ("C", 18)):
        sheet.column_dimensions[column].width = width
    file = io.BytesIO()
    book.save(file)
    return _download(file.getvalue(), XLSX, "xlsx")


@bp.get("/<int:village_id>/usb.zip")
@needs("villages")
def usb(village_id: int) -> ResponseReturnValue:
    """The coming seven days of a village, numbered for a USB stick."""
    with reading() as session:
        row = session.scalar(select(Village).where(Village.id == village_id))
        if row is None:
            raise NotFound("Không có thôn này ở đài. Hãy mở lại danh sách thôn.")
        airings = plan_days(session, today(), USB_DAYS, row.slug)
        name = row.name
    last = today() + timedelta(days=USB_DAYS - 1)
    title = f"{station().name}: {name}, {today():%d/%m/%Y}–{last:%d/%m/%Y}"
    folder = deps().settings.var / "packs"
    target = folder / f"usb-{content_key(airings, title)}.zip"
    if not target.is_file():
        old = sorted(folder.glob("usb-*.zip"), key=lambda each: each.stat().st_mtime)
        for each in old[: max(0, len(old) - KEEP_USB_PACKS)]:
            each.unlink(missing_ok=True)
        write_zip(target, airings, blobs=deps().blobs, title=title)
    return send_file(
        target, mimetype="application/zip", as_attachment=True, etag=target.stem, conditional=True,
        download_name=f"usb-{today():%Y%m%d}-{plain_name(name)}.zip",
    )  # fmt: skip


def _download(data: bytes, mimetype: str, suffix: str) -> ResponseReturnValue:
    name = f"mau-danh-sach-thon.{suffix}"
    return send_file(io.BytesIO(data), mimetype=mimetype, as_attachment=True, download_name=name)
