"""READ the ledgers of migration tools, from any source, and their files on disk."""
