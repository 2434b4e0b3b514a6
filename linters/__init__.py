"""What `make lint` and the hooks of pre-commit run: `python -m linters [CHECK …]`."""
