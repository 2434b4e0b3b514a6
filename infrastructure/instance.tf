# The small alternative: one machine with compose, and all that it needs from here.
