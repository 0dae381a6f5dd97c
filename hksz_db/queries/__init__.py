"""Reads: every function returns a statement, so that its caller can count, page or stream it."""
