"""SQL that pg_dump writes → objects with attributes."""
