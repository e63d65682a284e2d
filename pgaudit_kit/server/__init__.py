"""READ live PostgreSQL: targets, read-only snapshots, row streams."""
