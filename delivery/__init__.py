"""Bring images and settings to AWS: what the workflows call."""
