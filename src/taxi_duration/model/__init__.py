"""From a trip to its features, and from features to minutes."""
