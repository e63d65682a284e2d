"""Parts of a dump for other uses: tables, rows, query results, the SQL of a rescue; saved snapshots."""
