"""Plain scripts of pg_dump and pg_dumpall."""
