"""Backup and restore: a consistent copy of the database, and the frames and files that it names, by their hash."""
