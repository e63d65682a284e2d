"""Rows as typed tables, and SQL over them, whatever source they come from."""
