"""One function per command, the same words as the library."""
