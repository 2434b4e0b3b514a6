"""Trees that answer one row at a time, many times faster than `Booster.predict` does.

A tree is walked from node to node, each of which waits for the memory of the one before; a row
goes through hundreds of trees that way. Here no tree is walked. Every node that sends a row to the
right rules out the leaves on its left, and of the leaves that no node rules out the leftmost is the
one that the row reaches: QuickScorer (Lucchese et al., SIGIR 2015, "QuickScorer: a Fast Algorithm
to Rank Documents with Additive Ensembles of Regression Trees"). Which leaves a feature's value
rules out, in all trees, is looked up in a table with a bit a leaf, so a row takes an AND of some
vectors.
The answers are those of LightGBM to the last bit.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, chain, pairwise
from math import isnan
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from taxi_duration.model.features import Floats

Bits = NDArray[np.uint64]
# All that the trees see of a row: its columns as they are, but of the last one only its place
# between the thresholds. Rows of one cell have the same answers.
Cell = tuple[bytes, int]

# A leaf is a bit of a word.
MOST_LEAVES: Final = 64
_ALL: Final = (1 << MOST_LEAVES) - 1
# Of what columns rule out together: more than there are pairs of areas.
MOST_KEPT: Final = 8_192
# LightGBM's decision types, tree.h: what kind of split, and where a missing value goes.
_CATEGORICAL: Final = 1
_DEFAULT_LEFT: Final = 2
_MISSING: Final = 12
_MISSING_ZERO: Final = 4
_MISSING_NAN: Final = 8
# Objectives whose answer is the sum of the leaves and nothing else.
_PLAIN: Final = ("regression_l1", "quantile")
# A float64 of a power of two holds the exponent above 52 bits, more by 1023 than it is (IEEE 754).
_EXPONENT_BITS: Final = 52
_EXPONENT_BIAS: Final = 1023
# Of a float64.
_BYTES: Final = 8


class Split(NamedTuple):
    """A node: rows whose feature is above the threshold, or missing, lose the leaves of `mask`."""

    feature: int
    threshold: float
    missing_goes_right: bool
    tree: int
    # A bit for each leaf that is left.
    mask: int


class Tree(NamedTuple):
    """A tree's nodes, and its leaves' answers from left to right, filled up to MOST_LEAVES."""

    splits: list[Split]
    leaves: Floats


class Bitvectors:
    """The trees of several boosters. Threads share it without waiting for each other."""

    def __init__(self, texts: Sequence[bytes], together: Sequence[int]) -> None:
        """`texts` are the boosters as LightGBM writes them, for which `representable` holds.

        `together` tells how many columns of a row belong together, from the first, and leaves out
        the last column: what such columns rule out is worked out once for the values that they
        have together, and kept.
        """
        boosters = [list(_fields(text)) for text in texts]
        trees = [_tree(number, fields) for number, fields in enumerate(chain(*boosters))]
        splits = [split for tree in trees for split in tree.splits]
        self._tables = [
            _Table.of([s for s in splits if s.feature == feature], len(trees))
            for feature in range(sum(together) + 1)
        ]
        unruled = _all(1, len(trees))[0]
        self._groups = list(pairwise(accumulate(together, initial=0)))
        self._last = self._tables[-1]
        # Of the tables and not of `self`, so that a model that is replaced is freed at once.
        self._left_by = lru_cache(MOST_KEPT)(partial(_left_by, self._tables, unruled))
        self._leaves = np.concatenate([tree.leaves for tree in trees])
        # Where a tree's leaves begin, less what an exponent is more than it says.
        self._begins = np.arange(len(trees)) * MOST_LEAVES - _EXPONENT_BIAS
        self._booster_of = np.repeat(np.arange(len(boosters)), [len(each) for each in boosters])

    def cell(self, row: Floats) -> Cell:
        """The cell of `row`, of shape (1, features)."""
        return row.tobytes()[:-_BYTES], self._last.place(row.item(-1))

    def predict(self, cell: Cell) -> list[float]:
        """What each booster answers to the rows of a cell."""
        exact, place = cell
        left = self._last.table[place]
        for first, end in self._groups:
            left = left & self._left_by(first, exact[_BYTES * first : _BYTES * end])
        leftmost = (left & -left).astype(np.float64)
        leaves = self._leaves.take((leftmost.view(np.int64) >> _EXPONENT_BITS) + self._begins)
        # `bincount` adds one after the other, as LightGBM does; `sum` adds in pairs, and may end in
        # another bit.
        answers: list[float] = np.bincount(self._booster_of, leaves).tolist()
        return answers


class _Table(NamedTuple):
    """The leaves that a feature's values leave, of every tree.

    A row of the table for each number of thresholds that are below the value; the last is for a
    missing value.
    """

    thresholds: list[float]
    table: Bits

    def place(self, value: float) -> int:
        """The row of the table for a value, -1 for one that is missing."""
        return -1 if isnan(value) else bisect_left(self.thresholds, value)

    @classmethod
    def of(cls, splits: Sequence[Split], trees: int) -> Self:
        """The table of the splits on one feature."""
        thresholds = sorted({split.threshold for split in splits})
        rows = {threshold: n for n, threshold in enumerate(thresholds, 1)}
        table = _all(len(thresholds) + 2, trees)
        for split in splits:
            table[rows[split.threshold], split.tree] &= split.mask
            if split.missing_goes_right:
                table[-1, split.tree] &= split.mask
        table[:-1] = np.bitwise_and.accumulate(table[:-1])
        return cls(thresholds, table)


def _left_by(tables: Sequence[_Table], unruled: Bits, first: int, values: bytes) -> Bits:
    """The leaves that the columns from `first` on leave, in all trees."""
    left = unruled
    for feature, value in enumerate(np.frombuffer(values).tolist(), first):
        table = tables[feature]
        left = left & table.table[table.place(value)]
    return left


def _all(rows: int, trees: int) -> Bits:
    return np.full((rows, trees), _ALL, dtype=np.uint64)


def representable(texts: Sequence[bytes]) -> bool:
    """Whether Bitvectors can hold the boosters: all but those with large or unusual trees."""
    return all(_is_plain(text) and all(map(_fits, _fields(text))) for text in texts)


def _is_plain(text: bytes) -> bool:
    header = text.decode().partition("\n\n")[0].splitlines()
    objective = next((line for line in header if line.startswith("objective=")), "")
    known = objective.removeprefix("objective=").split()[:1]
    return bool(known) and known[0] in _PLAIN and "average_output" not in header


def _fits(fields: Mapping[str, str]) -> bool:
    return (
        int(fields["num_leaves"]) <= MOST_LEAVES
        and fields.get("is_linear", "0") == "0"
        and not any(
            decision & _CATEGORICAL or decision & _MISSING == _MISSING_ZERO
            for decision in _integers(fields, "decision_type")
        )
    )


def _fields(text: bytes) -> Iterator[dict[str, str]]:
    """What LightGBM writes of each tree, in order."""
    for tree in text.decode().partition("\nend of trees")[0].split("\nTree=")[1:]:
        yield dict(line.split("=", 1) for line in tree.splitlines() if "=" in line)


def _tree(number: int, fields: Mapping[str, str]) -> Tree:
    lefts, order = _in_order(_integers(fields, "left_child"), _integers(fields, "right_child"))
    values = [float(value) for value in fields["leaf_value"].split()]
    leaves = np.zeros(MOST_LEAVES)
    leaves[: len(order)] = [values[leaf] for leaf in order]
    nodes = zip(
        _integers(fields, "split_feature"),
        map(float, fields.get("threshold", "").split()),
        _integers(fields, "decision_type"),
        lefts,
        strict=True,
    )
    splits = [
        Split(feature, threshold, _missing_goes_right(decision, threshold), number, _ALL ^ left)
        for feature, threshold, decision, left in nodes
    ]
    return Tree(splits, leaves)


def _missing_goes_right(decision: int, threshold: float) -> bool:
    if decision & _MISSING == _MISSING_NAN:
        return not decision & _DEFAULT_LEFT
    # Where no value was missing when it was fitted, LightGBM takes a missing one for 0.
    return threshold < 0


def _in_order(left: Sequence[int], right: Sequence[int]) -> tuple[list[int], list[int]]:
    """The leaves to the left of each node, a bit each; and the numbers of the leaves in order."""
    bits, order = [0] * len(left), list[int]()

    def walk(node: int) -> None:
        # LightGBM's children below zero are leaves: ~0 is the first.
        if node < 0:
            order.append(~node)
            return
        before = len(order)
        walk(left[node])
        bits[node] = (1 << len(order)) - (1 << before)
        walk(right[node])

    walk(0 if left else ~0)
    return bits, order


def _integers(fields: Mapping[str, str], name: str) -> list[int]:
    return [int(number) for number in fields.get(name, "").split()]
