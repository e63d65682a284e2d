"""JUDGE: records → checks, pure, no I/O. One question per file."""
