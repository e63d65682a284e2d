"""Backing up: pg_dump and what the database held, in one snapshot, asked before and read back after."""
