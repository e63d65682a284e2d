"""COMPARE: two sources → objects, tables, rows that differ."""
