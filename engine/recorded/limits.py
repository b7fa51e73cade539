"""The bounds of a recorded trace: docs/traces.md states them all. (leaf)"""

from __future__ import annotations

MIB = 1 << 20

MOST_STEPS = 1_000_000
MOST_ROWS = 64
MOST_CELLS = 16_000_000  # rows x steps
MOST_LOSSES = 1_024
MOST_LINES = 4_096  # rows x losses: each is a line of steps
MOST_WINDOWS = 100_000
MOST_UPDATES = 100_000
MOST_PARAMETERS = 2_000
MOST_NORMS = 4_000_000  # updates x parameters
MOST_BATCH = 1_000_000

MOST_COLUMNS = 2_000  # of what is shown: a longer trace is shown by columns of several steps each

META_BYTES = MIB
META_DEPTH = 6
LONGEST_NAME = 200
MOST_NOTES = 50
LONGEST_NOTE = 2_000
MOST_VERIFIED = 16

FILE_BYTES = 200 * MIB
MEMBER_BYTES = 256 * MIB
TOTAL_BYTES = 512 * MIB
MOST_MEMBERS = 128  # HARDENING's 64, and one for each row's optional states
MOST_RATIO = 200  # of a packed member over FREE_BYTES; a small one may pack as well as it likes, and so may
SPARSE = ("connected", "credit")  # which are zeros for the most part: what bounds them is TOTAL_BYTES
FREE_BYTES = 16 * MIB
CHUNK_BYTES = MIB
