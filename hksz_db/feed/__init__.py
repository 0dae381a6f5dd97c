"""The feed of changes: its pages, their entries, and a listener for those who wait for them."""
