"""From a dump to a database: beside the live one, proven, exchanged, and back."""
