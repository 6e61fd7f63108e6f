"""service, doctor, backup, restore: what a technician runs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from broadcaster import system
from broadcaster.config import CHECKOUT, load
from broadcaster.doctor import examine
from broadcaster.errors import BroadcasterError
from broadcaster.store import backup as backups
from broadcaster.store.shelf import prune

SIGNS = {True: "✓", False: "✗", None: "–"}


@click.group("service", help="Tự chạy khi bật máy: cài, xem, gỡ.")
def service() -> None:
    """Hand the processes to systemd or to the Windows task scheduler."""


PART = click.option(
    "--only", type=click.Choice(system.PARTS), multiple=True, help="Chỉ phần này, ví dụ --only play."
)


@service.command("install", help="Cài để tự chạy khi bật máy.")
@PART
def service_install(only: tuple[str, ...]) -> None:
    """Install and start."""
    if not system.takes_services():
        raise BroadcasterError(
            "Máy này không chạy systemd nên không cài được. Hãy cho python3 scripts/run.py tự chạy khi bật máy."
        )
    try:
        system.install_services(
            only or system.PARTS, python=Path(sys.executable), home=load().home, root=CHECKOUT
        )
    except PermissionError as error:
        raise BroadcasterError(
            "Cần quyền quản trị (root hoặc Administrator) để cài. Hãy chạy lại với quyền đó."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise BroadcasterError(f"Hệ thống từ chối cài: {error}.") from error
    click.echo("Đã cài. Xem: python -m broadcaster service status")


@service.command("status", help="Xem từng phần đang chạy hay không.")
def service_status() -> None:
    """Say what the system says."""
    for part, state in system.service_states(system.PARTS).items():
        click.echo(f"{part:<6} {state}")


@service.command("remove", help="Gỡ khỏi hệ thống.")
@PART
def service_remove(only: tuple[str, ...]) -> None:
    """Stop and remove."""
    system.remove_services(only or system.PARTS)
    click.echo("Đã gỡ.")


@click.command("doctor", help="Khám máy: còn thiếu gì để 05:30 sáng mai phát được.")
def doctor_command() -> None:
    """Print every finding; exit 1 when one of them would silence the morning."""
    findings = examine(load())
    for finding in findings:
        click.echo(f"{SIGNS[finding.ok]} {finding.title}: {finding.sentence}")
    if any(finding.ok is False for finding in findings):
        raise BroadcasterError("Còn chỗ phải sửa (dấu ✗ ở trên).")


@click.command("backup", help="Sao lưu: dữ liệu, âm thanh, khóa, cài đặt.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--keep", type=click.IntRange(1, 1000), help="Chỉ giữ chừng này bản mới nhất.")
def backup_command(folder: Path, keep: int | None) -> None:
    """Back up while the station runs."""
    made = backups.backup(load(), folder, now=datetime.now(UTC))
    click.echo(str(made))
    if keep:
        for old in prune(folder, keep=keep):
            click.echo(f"đã xóa bản cũ {old.name}")


@click.command("restore", help="Khôi phục một bản sao lưu vào thư mục dữ liệu còn trống.")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore_command(folder: Path) -> None:
    """Restore into an empty home."""
    from broadcaster.install import install

    settings, now = load(), datetime.now(UTC)
    backups.restore(settings, folder, now=now)
    # The old machine's player keeps its token in a folder that no backup holds: this machine's gets its own.
    install(settings, now=now)
    click.echo(f"Đã khôi phục vào {settings.home}. Máy phát sẽ nhận lịch mới ở lần hỏi tới.")
