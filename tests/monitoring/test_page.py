from monitored import figures
from taxi_duration.monitoring.page import with_head

PAGE = "<html><head><meta></head><body><p>Evidently</p></body></html>"


def test_the_page_says_what_was_compared_with_what_and_by_which_model() -> None:
    page = with_head(PAGE, figures())
    assert "<title>Taxi drift 2019-03 (simulated)</title>" in page
    for told in ("2019-03", "2019-01, 2019-02", "model version 3", "simulated", "trip_minutes"):
        assert told in page.split("<p>Evidently")[0].split("<body>")[1]


def test_the_page_keeps_all_that_evidently_wrote() -> None:
    page = with_head(PAGE, figures())
    assert "<meta>" in page
    assert page.endswith("<p>Evidently</p></body></html>")


def test_the_page_says_where_there_was_no_model_yet() -> None:
    assert "there was no model" in with_head(PAGE, figures(model_version="floor"))


def test_what_comes_from_outside_is_escaped() -> None:
    assert "<script>" not in with_head(PAGE, figures(source="<script>"))
