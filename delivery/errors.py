"""What can go wrong on the way.

DeliveryError
├── ReturnedError    the new images failed; the former ones serve again
└── StrandedError    the new images failed, and so did the way back: a person is needed
"""


class DeliveryError(Exception):
    """A step failed; the message says which and what to do."""


class ReturnedError(DeliveryError):
    """The former images serve again."""


class StrandedError(DeliveryError):
    """Neither the new images nor the former ones are known to serve."""
