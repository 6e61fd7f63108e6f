"""Settings: one table feeds TOML, environment, docs and validation.

Order: flag > environment (`BROADCASTER_WEB_PORT`) > `broadcaster.toml` (`[web] port = 8000`) > default.
An unknown key is an error that suggests the nearest known one.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broadcaster.errors import ConfigError

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table.  `key` is `section.name`; the type is the default's."""

    key: str
    default: int | float | str | bool | tuple[str, ...]
    help: str
    minimum: float | None = None
    maximum: float | None = None

    @property
    def env(self) -> str:
        """Name of the environment variable."""
        return "BROADCASTER_" + self.key.replace(".", "_").upper()


SETTINGS: tuple[Setting, ...] = (
    Setting("store.database_url", "", "CSDL; để trống = SQLite trong var/, hoặc postgresql+psycopg://…"),
    Setting("store.blobs_url", "", "kho tệp âm thanh; để trống = thư mục audio/blobs"),
    Setting(
        "store.queue_url", "", "chuông báo việc dựng tiếng; để trống = SQLite trong var/, hoặc redis://…"
    ),
    Setting("web.host", "127.0.0.1", "địa chỉ lắng nghe"),
    Setting("web.port", 8000, "cổng web", 1, 65535),
    Setting("web.threads", 8, "số luồng của máy chủ web", 1, 64),
    Setting("web.public_url", "", "địa chỉ mà điện thoại của thôn mở được, ví dụ https://loa.example.vn"),
    Setting("web.trusted_proxies", 0, "số máy chủ trung gian (nginx, caddy) đứng trước web mà đài tin", 0, 5),
    Setting("web.session_idle_min", 60, "phút không thao tác thì phải đăng nhập lại", 5, 1440),
    Setting("web.max_upload_mb", 5, "dung lượng tối đa của một lần gửi lên (MB)", 1, 100),
    Setting(
        "web.max_recording_mb", 100, "dung lượng tối đa của một bản thu hoặc nhạc hiệu gửi lên (MB)", 5, 2_000
    ),
    Setting("mail.host", "", "máy chủ gửi thư (SMTP); để trống = không gửi thư"),
    Setting("mail.port", 587, "cổng của máy chủ gửi thư", 1, 65535),
    Setting("mail.security", "starttls", "mã hóa khi gửi thư: starttls, tls hoặc none"),
    Setting("mail.user", "", "tên đăng nhập của hộp thư gửi"),
    Setting("mail.password", "", "mật khẩu của hộp thư gửi"),
    Setting("mail.sender", "", "địa chỉ ghi ở dòng Người gửi; để trống = mail.user"),
    Setting("newsroom.max_text_chars", 50_000, "số ký tự tối đa của một bản tin", 1_000, 1_000_000),
    Setting("newsroom.emergency_persons", 2, "số người để phát khẩn cấp: 2 (soạn và duyệt) hoặc 1", 1, 2),
    Setting(
        "alarms.webhook_url", "", "địa chỉ nhận cảnh báo trước giờ phát (JSON qua POST); để trống = không gửi"
    ),
    Setting("schedule.horizon_days", 14, "số ngày lập sẵn buổi phát", 1, 60),
    Setting("schedule.content_close_min", 30, "chốt nội dung trước giờ phát (phút)", 1, 600),
    Setting(
        "voice.chain", ("piper", "gtts", "kokoro:nu-1", "espeak:vi+f5"), "thứ tự giọng, dấu phẩy ngăn cách"
    ),
    Setting("voice.speed", 1.0, "tốc độ đọc", 0.7, 1.3),
    Setting("backup.nightly", True, "mỗi đêm tự sao lưu"),
    Setting(
        "backup.folder", "", "thư mục sao lưu, nên ở ổ đĩa khác; để trống = thư mục sao-luu/ cạnh dữ liệu"
    ),
    Setting("backup.hour", 1, "giờ sao lưu trong đêm (0 đến 23, giờ của đài)", 0, 23),
    Setting("backup.keep", 14, "số bản sao lưu gần nhất được giữ", 1, 1000),
    Setting("archive.audio_months", 24, "số tháng giữ âm thanh sau lần phát cuối", 24, 600),
    Setting("archive.sweep", True, "sau khi sao lưu xong, xóa âm thanh đã quá hạn giữ"),
    Setting("voice.pause_comma_ms", 250, "nghỉ sau dấu phẩy (ms)", 0, 3000),
    Setting("voice.pause_sentence_ms", 650, "nghỉ giữa hai câu (ms)", 0, 5000),
    Setting("voice.pause_item_ms", 900, "nghỉ sau một gạch đầu dòng (ms)", 0, 5000),
    Setting("voice.pause_paragraph_ms", 1100, "nghỉ giữa hai đoạn (ms)", 0, 8000),
    Setting(
        "voice.alternate", True, "giọng nam và giọng nữ thay nhau theo bản tin, khi giọng đang dùng có cả hai"
    ),
    Setting("voice.cache_mb", 500, "dung lượng bộ nhớ câu đã đọc (MB)", 10, 100_000),
    Setting(
        "voice.listen_back",
        False,
        "máy nghe lại bản thu và chỉ ra chỗ nghe không rõ (cần gói viet-asr; chỉ để tham khảo)",
    ),
    Setting("social.zalo_token", "", "mã truy cập Zalo OA của xã; để trống = không đăng lên Zalo"),
    Setting("social.zalo_url", "https://openapi.zalo.me/v2.0", "địa chỉ giao diện của Zalo"),
    Setting("social.facebook_page", "", "số (id) của trang Facebook của xã"),
    Setting("social.facebook_token", "", "mã truy cập trang Facebook; để trống = không đăng lên Facebook"),
    Setting("social.facebook_url", "https://graph.facebook.com/v23.0", "địa chỉ giao diện của Facebook"),
    Setting("player.output", "soundcard", "đầu ra của máy phát: soundcard, silent hoặc wav:ĐƯỜNG_DẪN"),
    Setting("player.server", "", "địa chỉ đài mà máy phát lấy lịch; để trống = chính máy này"),
    Setting("player.token", "", "mã máy thu (để trống = dùng tệp trong var/player)"),
    Setting("player.doorbell_s", 0.5, "nhịp hỏi lịch mới (giây); mạng di động nên đặt 5 đến 15", 0.2, 300.0),
    Setting(
        "mqtt.url", "", "địa chỉ máy chủ MQTT báo ngay khi lịch đổi (mqtt://MÁY:1883); để trống = không dùng"
    ),
    Setting("player.hours_ahead", 72, "số giờ nội dung giữ sẵn ở máy phát", 1, 240),
    Setting("player.disk_mb", 4_000, "dung lượng tối đa máy phát được dùng (MB)", 50, 1_000_000),
    Setting("player.early_volume_percent", 70, "âm lượng tối đa trước 06:00 (%)", 0, 100),
)
_BY_KEY = {row.key: row for row in SETTINGS}
# What a technician may change in the web; the others need a hand on the machine.
EDITABLE = frozenset(
    (
        "web.public_url web.session_idle_min mail.host mail.port mail.security mail.user mail.password mail.sender "
        "schedule.content_close_min voice.speed voice.pause_comma_ms voice.pause_sentence_ms voice.pause_item_ms "
        "voice.pause_paragraph_ms player.early_volume_percent"
    ).split()
)
SECRET = frozenset(
    {"mail.password", "mqtt.url", "player.token", "social.zalo_token", "social.facebook_token"}
)  # never shown


@dataclass(frozen=True)
class Settings:
    """Every setting's value, and where data lives.  Read with `settings["web.port"]` or the typed getters."""

    home: Path
    values: Mapping[str, Any]

    def integer(self, key: str) -> int:
        """Value of an integer setting."""
        return int(self.values[key])

    def number(self, key: str) -> float:
        """Value of a numeric setting."""
        return float(self.values[key])

    def boolean(self, key: str) -> bool:
        """Value of a yes-or-no setting."""
        return bool(self.values[key])

    def text(self, key: str) -> str:
        """Value of a text setting."""
        return str(self.values[key])

    def texts(self, key: str) -> tuple[str, ...]:
        """Value of a list setting."""
        return tuple(self.values[key])

    @property
    def var(self) -> Path:
        """Database, keys and logs."""
        return self.home / "var"

    @property
    def keys(self) -> Path:
        """Secrets that live outside the database, mode 0600."""
        return self.var / "keys"

    @property
    def audio(self) -> Path:
        """Made sound: blobs and cache (jingles and voices of the checkout are elsewhere)."""
        return self.home / "audio"

    @property
    def jingles(self) -> Path:
        """The jingles that come with the project."""
        return CHECKOUT / "audio" / "jingles"

    @property
    def voices(self) -> Path:
        """The embedded voices that come with the project."""
        return CHECKOUT / "audio" / "voices"

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the station's database."""
        return self.text("store.database_url") or f"sqlite:///{self.var / 'broadcaster.db'}"

    @property
    def blobs_url(self) -> str:
        """Folder or URL of the audio files."""
        return self.text("store.blobs_url") or str(self.audio / "blobs")

    @property
    def queue_url(self) -> str:
        """Where the doorbell of the render queue lives."""
        return self.text("store.queue_url") or str(self.var / "queue.db")

    @property
    def backups(self) -> Path:
        """Where the nightly backups go."""
        return Path(self.text("backup.folder") or self.home / "sao-luu")

    @property
    def base_url(self) -> str:
        """Address of the web for links; the public one when it is set."""
        public = self.text("web.public_url").rstrip("/")
        return public or f"http://{self.text('web.host')}:{self.integer('web.port')}"


def load(
    *,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, Any] | None = None,
    home: Path | None = None,
) -> Settings:
    """Read settings.  Raises ConfigError (a Vietnamese sentence) on an unknown key or impossible value."""
    folder = home or Path(environ.get("BROADCASTER_HOME") or CHECKOUT)
    values: dict[str, Any] = {row.key: row.default for row in SETTINGS}
    values.update(_from_toml(folder / "broadcaster.toml"))
    values.update(_from_environ(environ))
    for key, value in (flags or {}).items():
        if value is not None:
            values[key] = _convert(_known(key, "tham số"), value, "tham số")
    return Settings(home=folder.resolve(), values=values)


def sources(home: Path, *, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Where each setting's value comes from: "environment", "toml" or "default"."""
    from_file, from_environ = _from_toml(home / "broadcaster.toml"), _from_environ(environ)
    return {
        row.key: "environment" if row.key in from_environ else "toml" if row.key in from_file else "default"
        for row in SETTINGS
    }


def checked(key: str, value: Any, where: str) -> Any:
    """The value as the setting's type, within its limits.  ConfigError otherwise."""
    return _convert(_known(key, where), value, where)


def _from_toml(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"Tệp {path.name} viết sai cú pháp: {error}. Hãy sửa rồi chạy lại.") from error
    found: dict[str, Any] = {}
    for section, rows in data.items():
        if not isinstance(rows, dict):
            _known(section, path.name)
        for name, value in rows.items():
            row = _known(f"{section}.{name}", path.name)
            found[row.key] = _convert(row, value, path.name)
    return found


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    by_env = {row.env: row for row in SETTINGS}
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith("BROADCASTER_") or name == "BROADCASTER_HOME":
            continue
        if name not in by_env:
            near = difflib.get_close_matches(name, list(by_env), n=1, cutoff=0.5)
            hint = f" Có phải ý bạn là {near[0]}?" if near else ""
            raise ConfigError(f"Biến môi trường {name} không có trong các cài đặt.{hint}")
        found[by_env[name].key] = _convert(by_env[name], value, name)
    return found


def _known(key: str, where: str) -> Setting:
    if key in _BY_KEY:
        return _BY_KEY[key]
    names = {row.key.split(".", 1)[1]: row.key for row in SETTINGS}
    near = difflib.get_close_matches(key, list(_BY_KEY), n=1, cutoff=0.5)
    if not near:
        near = [names[n] for n in difflib.get_close_matches(key.split(".")[-1], list(names), n=1, cutoff=0.5)]
    hint = f" Có phải ý bạn là “{near[0]}”?" if near else ""
    raise ConfigError(f"Cài đặt “{key}” trong {where} không tồn tại.{hint}")


def _convert(row: Setting, value: Any, where: str) -> Any:
    kind = type(row.default)
    try:
        if kind is tuple:
            parts = value.split(",") if isinstance(value, str) else value
            converted: Any = tuple(str(part).strip() for part in parts if str(part).strip())
        elif kind is bool:
            converted = value if isinstance(value, bool) else str(value).lower() in ("1", "true", "yes", "co")
        elif isinstance(value, bool) and kind in (int, float):
            raise ValueError
        else:
            converted = kind(value)
    except (TypeError, ValueError):
        raise ConfigError(f"Cài đặt “{row.key}” trong {where} có giá trị không hợp lệ: {value!r}.") from None
    if kind in (int, float):
        low, high = row.minimum, row.maximum
        if (low is not None and converted < low) or (high is not None and converted > high):
            raise ConfigError(
                f"Cài đặt “{row.key}” trong {where} phải từ {low:g} đến {high:g}, đang là {converted:g}."
            )
    return converted
