"""Settings: what stands in the station's row (name, rules, voices) and what in this machine's `broadcaster.toml`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from broadcaster.config import EDITABLE, SECRET, SETTINGS, Setting, sources
from broadcaster.delivery.mail import Letter, configured, send
from broadcaster.errors import BroadcasterError, InputError
from broadcaster.newsroom.notices import letters_in_trouble
from broadcaster.newsroom.people import record
from broadcaster.newsroom.stations import edit_policy, edit_station, edit_voices
from broadcaster.schedule import timekeeping
from broadcaster.schedule.policy import Policy
from broadcaster.speech.engines import CHOICES, open_voice
from broadcaster.store.tables import Station
from broadcaster.toml_file import write_settings
from web.deps import deps, now, reading, station, writing
from web.errors import status_of
from web.security import actor, limiter, needs
from web.words import WEEKDAY_NAMES

bp = Blueprint("settings_pages", __name__, url_prefix="/cai-dat")
AT_ONCE = ("web.public_url", "web.session_idle_min", "mail.")
NUMBERS = (
    ("sessions_a_day", "Số buổi một ngày"),
    ("minutes_a_session", "Số phút một buổi, nhiều nhất"),
    ("minutes_a_day", "Số phút một ngày, nhiều nhất"),
    ("repeats_in_30_days", "Số lần phát một bản tin trong 30 ngày, nhiều nhất"),
)
HOURS = (
    ("earliest_start", "Bắt đầu sớm nhất lúc"),
    ("latest_end", "Kết thúc muộn nhất lúc"),
    ("quiet_from", "Giờ yên tĩnh từ"),
    ("quiet_to", "đến"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One setting of this machine as the page shows it."""

    row: Setting
    shown: str
    source: str
    at_once: bool
    editable: bool
    secret: bool


@bp.get("")
@needs("see")
def home() -> ResponseReturnValue:
    """What can be set, by rights."""
    return render_template("settings.html", views=current_app.view_functions)


@bp.get("/dai")
@needs("station")
def station_page() -> ResponseReturnValue:
    """Name, call sign, phone; broadcasting rules."""
    return _station_page()


@bp.post("/dai")
@needs("station")
def save_station() -> ResponseReturnValue:
    """Name, call sign, phone."""
    typed = request.form
    try:
        with writing() as session:
            row = session.get_one(Station, station().id)
            edit_station(
                session, row, name=typed.get("name", ""), call_sign=typed.get("call_sign", ""),
                phone=typed.get("phone", ""), actor=actor(session), now=now(),
            )  # fmt: skip
    except BroadcasterError as error:
        return _station_page(error), status_of(error)
    flash("Đã lưu thông tin đài.")
    return redirect(url_for("settings_pages.station_page"), 303)


@bp.post("/quy-dinh")
@needs("station")
def save_policy() -> ResponseReturnValue:
    """The broadcasting rules."""
    typed: dict[str, Any] = {name: request.form.get(name, "").strip() for name, _ in (*HOURS, *NUMBERS)}
    typed["weekdays"] = [day for day in request.form.getlist("weekdays") if day in WEEKDAY_NAMES]
    try:
        if not typed["weekdays"]:
            raise InputError("Hãy chọn ít nhất một ngày được phát trong tuần.")
        with writing() as session:
            row = session.get_one(Station, station().id)
            edit_policy(session, row, typed, actor=actor(session), now=now())
    except BroadcasterError as error:
        return _station_page(error, typed), status_of(error)
    flash("Đã lưu quy định phát thanh. Lịch đã xếp giữ nguyên; lần xếp sau theo quy định mới.")
    return redirect(url_for("settings_pages.station_page"), 303)


@bp.get("/giong")
@needs("settings")
def voices_page() -> ResponseReturnValue:
    """The order of voices, and which of them can speak here."""
    return _voices_page()


@bp.post("/giong")
@needs("settings")
def save_voices() -> ResponseReturnValue:
    """The station's own order; empty = the order in the settings."""
    chain = [line.strip() for line in request.form.get("chain", "").splitlines() if line.strip()]
    try:
        if len(chain) > 12:
            raise InputError("Nhiều nhất 12 giọng. Hãy bỏ bớt.")
        for spec in chain:
            _opened(spec).close()
        with writing() as session:
            row = session.get_one(Station, station().id)
            edit_voices(session, row, chain, actor=actor(session), now=now())
    except BroadcasterError as error:
        return _voices_page(error), status_of(error)
    flash("Đã lưu thứ tự giọng. Bản tin gửi duyệt từ bây giờ theo thứ tự này.")
    return redirect(url_for("settings_pages.voices_page"), 303)


@bp.get("/may")
@needs("settings")
def machine_page() -> ResponseReturnValue:
    """Every setting of this machine, where its value comes from, and forms for those that may be changed here."""
    return _machine_page()


@bp.post("/may")
@needs("settings")
def save_machine() -> ResponseReturnValue:
    """Write the changed settings into `broadcaster.toml`."""
    try:
        changed = _changed()
        if changed:
            values = write_settings(deps().settings.home, changed)
            _use(values)
            shown = {key: "•••" if key in SECRET else value for key, value in values.items()}
            with writing() as session:
                record(
                    session, station_id=station().id, actor=actor(session), action="sửa cài đặt máy",
                    subject="broadcaster.toml", detail={"after": shown}, now=now(),
                )  # fmt: skip
    except BroadcasterError as error:
        return _machine_page(error), status_of(error)
    later = [key for key in changed if not key.startswith(AT_ONCE)]
    flash(
        "Đã lưu. Một số mục có hiệu lực từ lần khởi động sau của đài."
        if later
        else "Đã lưu." if changed else "Không có gì thay đổi."
    )  # fmt: skip
    return redirect(url_for("settings_pages.machine_page"), 303)


@bp.post("/may/gio-dung")
@needs("settings")
def believe_clock() -> ResponseReturnValue:
    """Somebody looked at the clock: it is right, what was seen before was not."""
    with writing() as session:
        newest = timekeeping.fallen_back(session, now())
        if newest is not None:
            timekeeping.believe(session, now())
            record(
                session, station_id=station().id, actor=actor(session), action="xác nhận giờ máy đúng",
                subject="đồng hồ đài", detail={"before": newest.isoformat(), "after": now().isoformat()}, now=now(),
            )  # fmt: skip
    flash("Đã ghi nhận giờ máy đúng. Đài lập lịch tiếp trong vòng một phút.")
    return redirect(url_for("settings_pages.machine_page"), 303)


@bp.post("/may/gui-thu")
@needs("settings")
@limiter.limit("5 per minute")
def try_mail() -> ResponseReturnValue:
    """Send a letter to oneself now, and say what happened."""
    try:
        with reading() as session:
            to = actor(session).email
        if not to:
            raise InputError("Tài khoản này chưa ghi hộp thư. Hãy ghi ở trang Tài khoản của tôi rồi thử lại.")
        if not configured(deps().settings):
            raise InputError("Chưa có máy chủ gửi thư. Hãy đặt mail.host rồi thử lại.")
        send(
            deps().settings,
            Letter(
                to, f"[{station().name}] Thư thử", "Đây là thư thử. Nhận được thư này là đài gửi thư được.\n"
            ),
            sender_name=station().name,
        )
    except BroadcasterError as error:
        return _machine_page(error), status_of(error)
    flash(f"Đã gửi thư thử đến {to}.")
    return redirect(url_for("settings_pages.machine_page"), 303)


def _station_page(error: BroadcasterError | None = None, policy: dict[str, Any] | None = None) -> str:
    return render_template(
        "settings_station.html", typed=request.form, hours=HOURS, numbers=NUMBERS, weekday_names=WEEKDAY_NAMES,
        policy=policy or _policy_data(), error=error,
    )  # fmt: skip


def _policy_data() -> dict[str, Any]:
    data = Policy.from_data(station().policy).to_data()
    days = data["weekdays"]
    return data | {"weekdays": days.split(",") if isinstance(days, str) else list(days)}


def _voices_page(error: BroadcasterError | None = None) -> str:
    own = list(station().voice_chain)
    chain = own or list(deps().settings.texts("voice.chain"))
    rows = []
    for spec in dict.fromkeys(
        [*chain, *(each for each in CHOICES if "TÊN" not in each and each != "silent")]
    ):
        try:
            voice = _opened(spec)
        except BroadcasterError as problem:
            rows.append((spec, "", problem.message))
            continue
        try:
            rows.append((spec, voice.label, voice.available() or ""))
        finally:
            voice.close()
    typed = request.form.get("chain", "\n".join(own))
    return render_template("settings_voices.html", rows=rows, chain=chain, own=own, typed=typed, error=error)


def _opened(spec: str) -> Any:
    return open_voice(spec, home=deps().settings.home, voices_dir=deps().settings.voices)


def _machine_page(error: BroadcasterError | None = None) -> str:
    settings = deps().settings
    origin = sources(settings.home)
    lines = []
    for row in SETTINGS:
        value = settings.values[row.key]
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        if row.key in SECRET:
            shown = "đã đặt" if shown else ""
        lines.append(
            Line(
                row,
                shown,
                origin[row.key],
                row.key.startswith(AT_ONCE),
                row.key in EDITABLE,
                row.key in SECRET,
            )
        )
    with reading() as session:
        trouble = letters_in_trouble(session)
        wrong = timekeeping.doubt(session, now(), station().zone)
    return render_template(
        "settings_machine.html", lines=lines, typed=request.form, trouble=trouble, wrong_clock=wrong,
        mail=configured(settings), error=error, folder=settings.home,
    )  # fmt: skip


def _changed() -> dict[str, str]:
    """Typed values that differ from those in force; an empty password field means: keep it."""
    origin = sources(deps().settings.home)
    found = {}
    for row in SETTINGS:
        if row.key not in EDITABLE or row.key not in request.form or origin[row.key] == "environment":
            continue
        typed = (
            request.form[row.key].strip().replace(",", ".")
            if isinstance(row.default, float)
            else request.form[row.key].strip()
        )
        if row.key in SECRET and not typed:
            continue
        if typed != str(deps().settings.values[row.key]):
            found[row.key] = typed
    address = found.get("web.public_url", "")
    if address and not address.startswith(("http://", "https://")):
        raise InputError("Địa chỉ cho điện thoại phải bắt đầu bằng http:// hoặc https://. Hãy gõ lại.")
    return found


def _use(values: dict[str, Any]) -> None:
    """This process goes on with the new values; the others read them at their next start (letters: at once)."""
    parts = deps()
    settings = replace(parts.settings, values={**parts.settings.values, **values})
    current_app.extensions["broadcaster"] = replace(parts, settings=settings)
