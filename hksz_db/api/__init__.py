"""The JSON room: load, call, answer."""
