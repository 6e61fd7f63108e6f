"""`python -m broadcaster …`: parse, wire, call, print.

Exit codes: 0 done, 1 refused with one clear Vietnamese line on stderr, 2 wrong use.
A command's module is imported only when it is used: a player alone has neither database nor web installed.
"""

from __future__ import annotations

import importlib
import sys

import click

from broadcaster import __version__
from broadcaster.commands.exits import guarded
from broadcaster.errors import BroadcasterError

COMMANDS = {
    "read": "text:read_command",
    "speak": "text:speak_command",
    "produce": "text:produce_command",
    "plan": "station:plan_command",
    "week": "week:week_group",
    "play": "play:play_command",
    "init": "station:init_command",
    "serve": "station:serve_command",
    "work": "station:work_command",
    "clock": "station:clock_command",
    "voices": "voices:voices",
    "users": "people:users",
    "service": "upkeep:service",
    "doctor": "upkeep:doctor_command",
    "report": "report:report_command",
    "backup": "upkeep:backup_command",
    "restore": "upkeep:restore_command",
    "upkeep": "archive:upkeep_command",
    "archive": "archive:archive",
}


class Commands(click.Group):
    """A group that knows its commands by name and loads each when asked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; a part that is not installed here is a sentence."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        try:
            found = getattr(importlib.import_module(f"broadcaster.commands.{module}"), name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] in ("broadcaster", "web"):
                raise
            return _not_here(cmd_name, error.name)
        assert isinstance(found, click.Command)
        return found


def _not_here(name: str, library: str) -> click.Command:
    """A stand-in that keeps `--help` whole where only the player is installed."""

    def refuse() -> None:
        raise BroadcasterError(
            f"Lệnh “{name}” cần thư viện {library} chưa cài trên máy này (máy chỉ cài phần máy phát?). "
            "Hãy cài requirements.txt rồi chạy lại."
        )

    return click.Command(name, callback=refuse, help="(chưa cài trên máy này)")


@click.group(cls=Commands, help="Đài truyền thanh cơ sở: từ văn bản đến buổi phát có bằng chứng.")
@click.version_option(__version__, prog_name="broadcaster")
def cli() -> None:
    """Root of the commands."""


def main() -> None:
    """Entry of `python -m broadcaster`."""
    sys.exit(guarded(lambda: cli(prog_name="python -m broadcaster")))


if __name__ == "__main__":
    main()
