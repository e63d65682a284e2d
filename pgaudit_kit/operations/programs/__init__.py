"""Client and server programs: found, started, ended with us; the only room that may start a program."""
