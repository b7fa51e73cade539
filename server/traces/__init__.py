"""Recorded traces over HTTP and on the command line: received to disk, read in pieces, tested, and drawn."""
