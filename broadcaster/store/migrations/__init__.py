"""The database's versions, oldest first.  `scripts/make_migration.py` writes a new one from the tables."""
