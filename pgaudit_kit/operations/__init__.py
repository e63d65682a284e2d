"""CHANGE a disk or a server; nothing else may."""
