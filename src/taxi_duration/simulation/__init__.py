"""A stand-in for the City's API: real trips from files, or those of a simulated city."""
