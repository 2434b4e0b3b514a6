"""The model's libraries, without those that only training needs.

LightGBM imports pandas and scikit-learn wherever they are installed, and answers as well without
them; they would cost every process of the service 130 MB and a second of its start. An environment
that does not have them is no different.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final

_ONLY_FOR_TRAINING: Final = ("pandas", "sklearn")


def import_lightgbm() -> None:
    """Import LightGBM for predictions alone; it knows no data frames in this process from now on.

    Does nothing where LightGBM is imported already.
    """
    with _hidden(_ONLY_FOR_TRAINING):
        import_module("lightgbm")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these fail, as where they are not installed."""
    hidden = [name for name in names if name not in sys.modules]
    # What the import system itself documents for a module that is not to be found.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
