"""Writes: every function takes a session and never commits; whoever opened it does."""
