"""Images are pushed under the commit's tag and named by digest."""

import json
from pathlib import Path

import pytest

from delivery.errors import DeliveryError
from delivery.images import NAMES, docker, push, read

REGISTRY = "1.dkr.ecr.us-east-2.amazonaws.com/taxi-duration"
DIGEST = "sha256:" + "a" * 64


class Daemon:
    """Answers as Docker does, and remembers what it was asked."""

    def __init__(self, *digests: str) -> None:
        self.digests = digests
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, *words: str) -> str:
        self.asked.append(words)
        return json.dumps(self.digests) if words[0] == "inspect" else ""


def test_every_image_is_tagged_pushed_and_named_by_its_digest() -> None:
    daemon = Daemon(*(f"{REGISTRY}/{name}@{DIGEST}" for name in NAMES), f"elsewhere@{DIGEST}")
    pushed = push(REGISTRY, "abc", run=daemon)
    assert pushed == {name: f"{REGISTRY}/{name}@{DIGEST}" for name in NAMES}
    assert ("tag", "taxi-duration/mage:local", f"{REGISTRY}/mage:abc") in daemon.asked
    assert ("push", "--quiet", f"{REGISTRY}/mage:abc") in daemon.asked


@pytest.mark.parametrize("known", [(), (f"{REGISTRY}/mage@sha256:short",)])
def test_a_push_without_a_digest_is_an_error(known: tuple[str, ...]) -> None:
    with pytest.raises(DeliveryError, match="names no digest"):
        push(REGISTRY, "abc", ["mage"], run=Daemon(*known))


def test_docker_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises((DeliveryError, FileNotFoundError), match="docker"):
        docker("push", "nothing")


def test_the_images_are_read_from_the_file_that_has_them(tmp_path: Path) -> None:
    (file := tmp_path / "images.json").write_text(json.dumps({"mage": "new"}))
    assert read(file) == {"mage": "new"}


@pytest.mark.parametrize("text", [None, "", '{"mage": ', '["mage"]'])
def test_a_file_without_images_is_told(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "images.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DeliveryError, match="JSON"):
        read(file)


def test_no_file_at_all_is_told() -> None:
    with pytest.raises(DeliveryError, match="FILE"):
        read(Path())
