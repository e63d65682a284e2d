"""How a record looks: as a pandas frame, or as a piece of HTML. The edge between facts and people."""
