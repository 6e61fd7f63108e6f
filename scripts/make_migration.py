"""Write a new database version from the difference between the tables and the newest version.

    python scripts/make_migration.py 0005 "Villages get a picture" [--only TABLE,TABLE]

Read the file it writes before committing it: renames look like a drop and an addition.  A released
version is never edited.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from alembic import command

from broadcaster.store.db import Database
from broadcaster.store.upgrade import alembic_config, upgrade


def main() -> int:
    """Make the revision; exit 2 on wrong use."""
    match sys.argv[1:]:
        case [number, message]:
            only = None
        case [number, message, "--only", names]:
            only = set(names.split(","))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/empty.db"
        config = alembic_config()
        config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
        if any((Path(config.get_main_option("script_location") or "") / "versions").glob("0*.py")):
            upgrade(url)
        db = Database(url)
        try:
            with db.engine.connect() as connection:
                config.attributes.update(connection=connection, only=only)
                command.revision(config, message, autogenerate=True, rev_id=number)
        finally:
            db.dispose()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
