import re

import msgspec

from decided import CANDIDATE, decided
from taxi_duration.registry.decision_page import page
from taxi_duration.registry.gate import Rival


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_person_reads_verdict_rules_figures_segments_and_rows() -> None:
    shown = text(page(decided(milliseconds=99.0).of_version("7")))
    assert "Version 7 of the run for 2019-03 (simulated) is refused" in shown
    assert "speed broken One trip takes 99.00 ms" in shown
    assert "error kept MAE 3.600 min against 3.700 min of champion 2" in shown
    assert "from an airport 900 6.100 6.000 +1.7% 78.0%" in shown
    assert shown.index("from an airport 900") < shown.index("weekend 4,000")
    assert "12,345 in 740 hours, from 2019-03-01 00:00 to 2019-03-31 23:45" in shown
    assert "0123abcd" in shown


def test_a_candidate_that_cannot_be_used_has_no_figures() -> None:
    candidate = msgspec.structs.replace(CANDIDATE, fault="Its files are torn.")
    shown = text(page(decided(candidate=candidate, figures=None)))
    assert "golden trips broken Its files are torn." in shown
    assert "Figures" not in shown


def test_what_others_wrote_is_shown_and_not_executed() -> None:
    html = page(decided(rival=Rival(version="<script>", source="simulated"), notes=["a < b"]))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "a &lt; b" in html
