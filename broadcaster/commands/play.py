"""play: the player, on a station's own PC or alone in a village; imports nothing of the station's database."""

from __future__ import annotations

from datetime import datetime

import click

from broadcaster.config import load
from broadcaster.errors import PlayerError


@click.command("play", help="Chạy máy phát: lấy lịch đã ký, phát đúng giờ, gửi nhật ký.")
@click.option("--server", help="Địa chỉ của đài; mặc định lấy từ tệp ghép nối trong var/player.")
@click.option("--token", help="Mã máy thu.")
@click.option("--pair", "code", help="Mã ghép nối ngắn hiện trên trang web; chỉ cần một lần.")
@click.option("--output", help="soundcard, silent hoặc wav:ĐƯỜNG_DẪN.")
@click.option("--now", "start", help="Đồng hồ giả, bắt đầu từ lúc này (ISO 8601); phát nhanh nhất có thể.")
@click.option("--until", help="Dừng khi đồng hồ tới lúc này (ISO 8601).")
@click.option("--supervised", is_flag=True, hidden=True)
def play_command(
    server: str | None,
    token: str | None,
    code: str | None,
    output: str | None,
    start: str | None,
    until: str | None,
    supervised: bool,
) -> None:
    """Run the player until stopped."""
    from broadcaster.commands.signals import start_log, stop_event
    from broadcaster.playout.clock import Clock, GivenClock, SystemClock
    from broadcaster.playout.player import run_player
    from broadcaster.system import awake, raise_priority

    settings = load(flags={"player.server": server, "player.token": token, "player.output": output})
    clock: Clock = GivenClock(_instant(start, "--now")) if start else SystemClock()
    start_log()
    if start is None:
        raise_priority()
    with awake("máy phát đang chờ giờ phát"):
        run_player(
            settings,
            clock=clock,
            stop=stop_event(supervised),
            until=_instant(until, "--until") if until else None,
            pairing_code=code,
        )


def _instant(text: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("viết dạng 2026-11-24T05:29:55+07:00", param_hint=option) from None
    if instant.tzinfo is None:
        raise PlayerError(f"{option} phải có múi giờ, ví dụ 2026-11-24T05:29:55+07:00.")
    return instant
