"""The commands of ``flask``; ``registry`` lists them."""
