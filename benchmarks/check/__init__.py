"""How good the check of texts is, and how long it takes."""
