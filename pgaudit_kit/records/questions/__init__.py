"""Every question that is asked anywhere, by its id: what a check proves, and what it does not."""
