"""READ files: what pg_dump wrote becomes an inventory and rows."""
