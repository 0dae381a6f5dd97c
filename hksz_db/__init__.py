"""Claims about Hong Kong and Shenzhen: who says what, with which figures, on what evidence."""

import gc

# By default, the garbage collector runs after 700 new objects, and visits more and more of those
# that stay: it takes a fifth of the time that importing this package takes, and finds little.
gc.set_threshold(50_000)
