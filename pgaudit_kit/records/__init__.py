"""What we know: frozen dataclasses, standard library only. No I/O, no pandas, nothing above."""
