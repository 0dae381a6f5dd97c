"""The feed of changes: its pages, what it lists, and who waits for it."""
