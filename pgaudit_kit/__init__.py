"""Is this PostgreSQL backup whole, does it restore to the very same rows, and what did we lose?"""
