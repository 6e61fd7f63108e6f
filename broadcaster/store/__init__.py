"""Database, files, queue."""
