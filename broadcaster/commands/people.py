"""users add|reset|disable: accounts from the command line, for the first one and for the forgotten one."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from broadcaster.commands.common import opened, station_option, the_station
from broadcaster.model import Role
from broadcaster.newsroom.contributions import join_unit, unit_by_name
from broadcaster.newsroom.people import add_user, disable, new_password, reset_password


@click.group("users", help="Tài khoản: thêm, đặt lại mật khẩu, khóa.")
def users() -> None:
    """Accounts."""


@users.command("add", help="Thêm tài khoản; mật khẩu sinh ngẫu nhiên, hiện một lần.")
@click.argument("username")
@click.option("--name", "display_name", help="Họ tên hiện trên màn hình.")
@click.option("--role", type=click.Choice([str(r) for r in Role]), default=str(Role.AUTHOR))
@click.option("--unit", help="Tên đơn vị gửi bài; cần khi vai trò là contributor.")
@station_option
def add_command(
    username: str, display_name: str | None, role: str, unit: str | None, station: str | None
) -> None:
    """Add an account."""
    password = new_password()
    with opened() as (_settings, db):
        found = the_station(db, station)
        with db.writing(station_id=found.id) as session:
            row = add_user(
                session, station_id=found.id, username=username, display_name=display_name or username,
                role=Role(role), password=password, now=datetime.now(UTC),
            )  # fmt: skip
            join_unit(session, row, unit_by_name(session, unit).id if unit else None)
    click.echo(f"{username}  {password}")


@users.command("reset", help="Đặt lại mật khẩu và đăng xuất khỏi mọi máy.")
@click.argument("username")
def reset_command(username: str) -> None:
    """Give a new random password."""
    password = new_password()
    with opened() as (_settings, db), db.writing() as session:
        reset_password(session, username=username, password=password, now=datetime.now(UTC))
    click.echo(f"{username}  {password}")


@users.command("disable", help="Khóa tài khoản.")
@click.argument("username")
def disable_command(username: str) -> None:
    """Disable an account."""
    with opened() as (_settings, db), db.writing() as session:
        disable(session, username=username, now=datetime.now(UTC))
    click.echo(f"Đã khóa {username}.")
