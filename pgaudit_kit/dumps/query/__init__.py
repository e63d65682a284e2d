"""Rows as typed frames, and SQL over them."""
