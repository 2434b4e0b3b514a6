"""A decision of the gate as a page that a person reads: verdict, rules, figures, segments."""

from html import escape
from typing import Final

from taxi_duration.model.comparison import SegmentFigures
from taxi_duration.registry.gate import AnswerFigures, Check, Figures, GateDecision

_STYLE: Final = """
body { margin: 0; font-family: system-ui, sans-serif; line-height: 1.5; color: #1c2733; }
header { padding: 1.2rem 2rem; color: #fff; }
header.promoted { background: #1c6b45; } header.refused { background: #8a3324; }
h1 { margin: 0 0 .3rem; font-size: 1.4rem; } h2 { margin: 1.8rem 0 .4rem; font-size: 1.1rem; }
main { padding: 0 2rem 2rem; max-width: 62rem; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #1c2733; } td { border-bottom: 1px solid #d5dbe1; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.kept { color: #1c6b45; font-weight: 600; } .broken { color: #8a3324; font-weight: 600; }
td:first-child { white-space: nowrap; }
code { font-size: .85rem; overflow-wrap: anywhere; }
"""


def page(decision: GateDecision) -> str:
    """The decision as HTML that needs nothing from elsewhere."""
    title = escape(f"{_subject(decision)} is {decision.word}")
    return f"""\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>
<body>
<header class="{decision.word}"><h1>{title}</h1>{escape(decision.reason)}</header>
<main>
<h2>Rules</h2>
{_table(["rule", "", "what was found"], list(map(_check, decision.checks)))}
{_figures(decision.figures, str(decision.rival)) if decision.figures else ""}
<h2>What was compared</h2>
{_table(["", ""], [f"<td>{escape(key)}</td><td>{value}</td>" for key, value in _facts(decision)])}
</main>
</body>
</html>
"""


def _subject(decision: GateDecision) -> str:
    name = f"Version {decision.version}" if decision.version else "The candidate"
    return f"{name} of the run for {decision.candidate.month} ({decision.candidate.source})"


def _table(head: list[str], rows: list[str]) -> str:
    """Rows of finished cells; a column whose head begins with `#` holds numbers."""
    cells = "".join(
        f'<th class="number">{escape(name[1:])}</th>' if name[:1] == "#" else f"<th>{name}</th>"
        for name in head
    )
    lines = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table>\n<tr>{cells}</tr>\n{lines}\n</table>"


def _numbers(*texts: str) -> str:
    return "".join(f'<td class="number">{text}</td>' for text in texts)


def _check(check: Check) -> str:
    kind = "kept" if check.passed else "broken"
    found = f'<td class="{kind}">{kind}</td><td>{escape(check.said)}</td>'
    return f"<td>{escape(check.name)}</td>{found}"


def _figures(figures: Figures, rival: str) -> str:
    held = figures.rival_coverage_80
    rows = [
        ("MAE, minutes", f"{figures.mae:.3f}", f"{figures.rival_mae:.3f}"),
        ("MAE of the floor, minutes", f"{figures.floor_mae:.3f}", ""),
        ("inside the 80% interval", f"{figures.coverage_80:.1%}", f"{held:.1%}" if held else ""),
        *_answers(figures.answers, figures.rival_answers),
        ("gain, minutes", f"{figures.gain:+.3f}", ""),
        ("lower end of the gain", f"{figures.least_gain:+.3f}", ""),
        ("one trip, milliseconds", f"{figures.milliseconds:.2f}", ""),
    ]
    measured = [f"<td>{name}</td>{_numbers(*values)}" for name, *values in rows]
    segments = sorted(figures.segments, key=lambda each: -each.worse)
    return f"""\
<h2>Figures</h2>
{_table(["", "#candidate", f"#{rival}"], measured)}
<h2>Segments, the worst for the candidate first</h2>
{_table(["segment", "#trips", "#MAE", "#rival's MAE", "#change", "#inside"], _rows(segments))}
"""


def _answers(own: AnswerFigures, its: AnswerFigures | None) -> list[tuple[str, str, str]]:
    rows = {
        "width of the interval, minutes": (".2f", "interval_width"),
        "pinball loss, minutes": (".3f", "pinball"),
        "5 minutes late or more": (".1%", "late_5"),
    }
    return [
        (text, format(getattr(own, name), form), format(getattr(its, name), form) if its else "")
        for text, (form, name) in rows.items()
    ]


def _rows(segments: list[SegmentFigures]) -> list[str]:
    return [
        f"<td>{escape(each.name)}</td>"
        + _numbers(
            f"{each.trips:,}",
            f"{each.mae:.3f}",
            f"{each.rival_mae:.3f}",
            f"{each.worse:+.1%}",
            f"{each.coverage_80:.1%}",
        )
        for each in segments
    ]


def _facts(decision: GateDecision) -> list[tuple[str, str]]:
    rows, candidate = decision.rows, decision.candidate
    notes = [("note", escape(note)) for note in decision.notes]
    return [
        (
            "trips",
            f"{rows.trips:,} in {rows.hours:,} hours,"
            f" from {rows.first:%Y-%m-%d %H:%M} to {rows.last:%Y-%m-%d %H:%M}",
        ),
        ("their table", f"<code>{escape(rows.uri)}</code>"),
        ("SHA-256 of its rows", f"<code>{escape(rows.sha256)}</code>"),
        ("rival", escape(str(decision.rival))),
        ("candidate's model", f"<code>{escape(candidate.model_id)}</code>"),
        ("run that trained it", f"<code>{escape(candidate.run_id)}</code>"),
        ("run of the pipeline", f"<code>{escape(candidate.parent_run_id)}</code>"),
        ("decided", f"{decision.decided_at:%Y-%m-%d %H:%M:%S} UTC"),
        *notes,
    ]
