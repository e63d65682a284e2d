"""Where the bytes of a dump lie, and what they are wrapped in."""
