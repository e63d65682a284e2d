"""Rehearsals: a dump restored where it harms nobody, and the result compared with what it must be."""
