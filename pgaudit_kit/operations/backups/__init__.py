"""From a database to a verified dump with its manifest."""
