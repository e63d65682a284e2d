"""Incremental backups: the formats of their files, as bytes ↔ records."""
