"""`docs/api.md` has every endpoint, and its examples are answered as it says.

An answer that ends with `…` begins as it is shown.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.metrics import MetricWrapperBase

from duration_service import metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()


@dataclass
class Example:
    """A curl command and the answer that the page gives for it."""

    method: str
    path: str
    data: str | None
    content_type: str | None
    status: int
    answer_type: str
    answer: str


def example(command: str, answer: str) -> Example:
    words = shlex.split(command)
    url = next(word for word in words if word.startswith("http://localhost:9696"))
    data = words[words.index("-d") + 1] if "-d" in words else None
    header = words[words.index("-H") + 1] if "-H" in words else ""
    head, body = answer.split("\n\n", maxsplit=1)
    status, answer_type = re.fullmatch(r"HTTP/1.1 (\d+)\nContent-Type: (.+)", head).groups()  # type: ignore[union-attr]
    return Example(
        method="POST" if data else "GET",
        path=url.removeprefix("http://localhost:9696"),
        data=data,
        content_type=header.removeprefix("Content-Type: ") or None,
        status=int(status),
        answer_type=answer_type,
        answer=body.rstrip(),
    )


# What is for the eye has no answer that an example could show.
PAGES = {"GET /", "GET /monitoring"}
EXAMPLES = [
    example(command, answer)
    for command, answer in re.findall(r"```sh\n(.*?)```\n\n```http\n(.*?)```", PAGE, re.DOTALL)
]


def shape(value: Any) -> Any:
    """The value with its names, and kinds in place of figures."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items() if name != "metrics"}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


def test_every_endpoint_has_a_chapter_and_every_chapter_an_endpoint(app: Flask) -> None:
    endpoints = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.arguments
    }
    assert set(re.findall(r"^## `([A-Z]+ /.*)`$", PAGE, re.MULTILINE)) == endpoints
    assert {f"{one.method} {one.path}" for one in EXAMPLES} == endpoints - PAGES


@pytest.mark.parametrize("shown", EXAMPLES, ids=lambda one: f"{one.method} {one.path}")
def test_an_example_is_answered_as_the_page_says(app: Flask, shown: Example) -> None:
    answer = app.test_client().open(
        shown.path, method=shown.method, data=shown.data, content_type=shown.content_type
    )
    assert (answer.status_code, answer.content_type) == (shown.status, shown.answer_type)
    if shown.answer.endswith("…"):
        assert answer.text.startswith(shown.answer.removesuffix("…"))
        return
    expected = json.loads(shown.answer)
    assert list(shape(answer.json)) == list(shape(expected))
    assert shape(answer.json) == shape(expected)
    if shown.status >= 400:
        assert answer.json == expected


def test_every_metric_is_in_the_table_and_every_one_in_the_table_exists() -> None:
    declared = {
        f"`{metric._name}` | {metric._type}"
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
    }
    assert set(re.findall(r"^\| (`taxi_\w+` \| \w+) \|", PAGE, re.MULTILINE)) == declared
