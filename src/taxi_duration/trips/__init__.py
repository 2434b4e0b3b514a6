"""Trips: from the City's API, checked and cleaned, into the lake."""
