"""Charts as geometry for the template's SVG.

Across it is in percent of whatever width there is, down in pixels: so texts are as large on a phone
as on a desk, without a script.
"""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

# Where the values lie between, in pixels from the top, and in percent from the left: the labels of
# the scale stand left of it.
TOP: Final = 18
BOTTOM: Final = 162
HEIGHT: Final = 184
LEFT: Final = 10
RIGHT: Final = 99
GRID_LINES: Final = 4
# Of the labels below: as many as fit on a desk, and every second of them on a phone.
LABELS: Final = 8


class Series(NamedTuple):
    """Values in the order of the labels; None where there is none, and the line is broken."""

    name: str
    # The class of its colour and dashes in the style sheet.
    style: str
    values: Sequence[float | None]


class Dot(NamedTuple):
    """One value; `x` in percent, `y` in pixels, and in words."""

    x: float
    y: float
    text: str


class Line(NamedTuple):
    """A series, drawn: the path is in units of a percent across and a pixel down."""

    name: str
    style: str
    path: str
    dots: list[Dot]


class Label(NamedTuple):
    """A text below or left; `minor` ones go where there is little room."""

    at: float
    text: str
    minor: bool = False


class Chart(NamedTuple):
    """All that a template draws."""

    lines: list[Line]
    below: list[Label]
    grid: list[Label]
    height: int = HEIGHT
    bottom: int = BOTTOM

    @property
    def bar(self) -> float:
        """The width of a bar, in percent."""
        return 0.7 * (RIGHT - LEFT) / max(len(self.lines[0].dots), len(self.below), 1)


def chart(
    labels: Sequence[str], series: Sequence[Series], form: str = "{:g}", span: float = 0
) -> Chart:
    """The series with a scale that they need; `form` writes a value.

    With bars it begins at 0. It is at least `span` high, so that a little noise looks like little.
    """
    scale = _scale(series, span)
    lowest, highest = scale[0], scale[-1]
    across = [LEFT + (RIGHT - LEFT) * (n + 0.5) / len(labels) for n in range(len(labels))]

    def down(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - lowest) / (highest - lowest), 2)

    def line(one: Series) -> Line:
        dots = [
            Dot(round(x, 2), down(value), f"{label}: {one.name} {form.format(value)}")
            if value is not None and _drawn(value)
            else None
            for x, label, value in zip(across, labels, one.values, strict=True)
        ]
        return Line(one.name, one.style, _path(dots), [dot for dot in dots if dot])

    return Chart(
        [line(one) for one in series],
        _below(labels, across),
        [Label(down(value), form.format(value)) for value in scale],
    )


def grid_step(highest: float) -> float:
    """A step of 1, 2 or 5 times a power of ten of which at most GRID_LINES reach `highest`."""
    if highest <= 0:
        return 1
    rough = highest / GRID_LINES
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)


def _scale(series: Sequence[Series], span: float) -> list[float]:
    """The values of the grid's lines, from below all that is drawn to above it."""
    drawn = [v for one in series for v in one.values if v is not None and math.isfinite(v)] or [0]
    bars = any(one.style.startswith("bar") for one in series)
    room = max(0, span - (max(drawn) - min(drawn))) / 2
    lowest = 0 if bars else max(0, min(drawn) - room)
    highest = max(*drawn, lowest + span)
    step = grid_step(highest - lowest)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [step * n for n in range(first, max(last, first + 1) + 1)]


def _drawn(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _path(dots: Sequence[Dot | None]) -> str:
    runs = [list(run) for there, run in groupby(dots, key=bool) if there]
    return "".join("M" + "L".join(f"{dot.x} {dot.y}" for dot in run if dot) for run in runs)


def _below(labels: Sequence[str], across: Sequence[float]) -> list[Label]:
    """Each label, or every second, third … of many; the last one is always there."""
    every = math.ceil(len(labels) / LABELS) or 1
    chosen = range(len(labels))[::-1][::every]
    return [
        Label(round(across[n], 2), labels[n], minor=place % 2 == 1)
        for place, n in enumerate(chosen)
    ]
