"""Where backups are kept: files that get their names when they are whole, locks, retention."""
