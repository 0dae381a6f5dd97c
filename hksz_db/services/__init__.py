"""Writes: functions take a session and never commit; the code that opened it does."""
