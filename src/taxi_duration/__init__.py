"""How long a Chicago taxi trip will take, and the loop that keeps the answer right."""
