"""A bar that shows how far a month is loaded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def day_bar(title: str, days: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with the trips of each day that is done.

    Nothing is drawn unless `shown`, nor where there is no terminal to draw on.
    """
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("days, {task.fields[trips]:,} trips"),
        TimeElapsedColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    )
    task = bar.add_task(title, total=days, trips=0)

    def day_done(trips: int) -> None:
        bar.update(task, advance=1, trips=bar.tasks[task].fields["trips"] + trips)

    with bar:
        yield day_done
