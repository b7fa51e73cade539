"""One file a step. A step that has been released is never edited: a change of the tables is a new file."""
