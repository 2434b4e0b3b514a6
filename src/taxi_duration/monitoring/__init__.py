"""How the model does on each month's trips, and how these differ from what it was trained on."""
