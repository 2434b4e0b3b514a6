from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from taxi_duration.model import plots

MINUTES = np.array([5.0, 10.0, 20.0, 40.0])
PREDICTED = np.array([6.0, 9.0, 25.0, 30.0])


@pytest.mark.parametrize(
    "figure",
    [
        plots.residuals(MINUTES, PREDICTED),
        plots.predicted_against_real(MINUTES, PREDICTED),
        plots.importance({"miles": 0.8, "hour": 0.2}),
    ],
    ids=["residuals", "predicted_against_real", "importance"],
)
def test_a_plot_becomes_a_picture_without_a_screen(figure: Figure) -> None:
    picture = BytesIO()
    figure.savefig(picture, format="png")
    assert picture.getvalue().startswith(b"\x89PNG")
    (axes, *_) = figure.axes
    assert axes.get_title()
    assert axes.get_xlabel()
