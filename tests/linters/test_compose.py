"""Compose is asked about the file as it is, with nothing of this machine in it."""

from linters.compose import filled

EXAMPLE = """# What runs.
PROFILES=core,monitoring
# --- Secrets
PASSWORD=
#PORT=9696
"""


def test_secrets_get_a_word_and_options_stay_out() -> None:
    assert filled(EXAMPLE) == {"PROFILES": "core,monitoring", "PASSWORD": "filled"}
