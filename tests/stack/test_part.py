"""Parts in the order of their needs."""

import pytest

from taxi_duration.stack.part import Part, in_order


def part(name: str, *needs: str) -> Part:
    return Part(name, ("true",), {}, lambda: True, {}, "", needs=needs)


def names(*parts: Part) -> list[list[str]]:
    return [[part.name for part in wave] for wave in in_order(parts)]


def test_a_part_comes_after_what_it_needs_and_beside_what_it_does_not_need() -> None:
    parts = part("service", "mlflow"), part("mlflow", "postgres", "s3"), part("mage", "postgres")
    assert names(*parts, part("postgres"), part("s3")) == [
        ["postgres", "s3"],
        ["mlflow", "mage"],
        ["service"],
    ]


def test_a_need_that_is_not_part_of_this_stack_is_no_need() -> None:
    assert names(part("mlflow", "postgres")) == [["mlflow"]]


def test_parts_that_need_each_other_are_an_error() -> None:
    with pytest.raises(ValueError, match="need each other"):
        names(part("a", "b"), part("b", "a"))
