"""From the files of other programs to what can be written, entry by entry."""
