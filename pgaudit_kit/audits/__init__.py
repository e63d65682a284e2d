"""ASK: the user's questions, one function each: read, compare, judge. Nothing here can change anything."""
