"""Import formats: each module reads the entries of a file."""
