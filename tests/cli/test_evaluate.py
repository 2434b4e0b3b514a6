import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from taxi_duration.cli import main
from taxi_duration.trips.schema import REQUIRED_COLUMNS
from trips_factory import make_trips

pytestmark = pytest.mark.slow

POINT = ["mae", "rmse", "mape", "within_5"]
BASELINES = ["pair_median", "floor", "linear_regression", "extra_trees"]


def evaluate(*words: str | Path, mix_stderr: bool = True) -> Result:
    runner = CliRunner(mix_stderr=mix_stderr)
    return runner.invoke(main, ["evaluate", *map(str, words)])


def written(path: Path, trips: pa.Table) -> Path:
    pq.write_table(trips, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of January, February and March, with no more columns than are required."""
    folder = tmp_path_factory.mktemp("trips")
    for month in ("2019-01", "2019-02", "2019-03"):
        trips = make_trips(month, count=1_000).select(REQUIRED_COLUMNS)
        written(folder / f"{month}.parquet", trips)
    return folder


@pytest.fixture(scope="module")
def answer(folder: Path) -> dict[str, Any]:
    months = [folder / f"2019-0{month}.parquet" for month in (1, 2, 3)]
    done = evaluate("--trips", *months, "--split", "2019-03-01", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_answer_is_one_object_with_every_predictor(answer: dict[str, Any]) -> None:
    assert list(answer) == ["train_trips", "test_trips", "predictors", "segments"]
    assert (answer["train_trips"], answer["test_trips"]) == (2_000, 1_000)
    assert list(answer["predictors"]) == [*BASELINES, "model"]
    for name in BASELINES:
        assert list(answer["predictors"][name]) == POINT
    of_model = answer["predictors"]["model"]
    assert {*POINT, "coverage_80", "interval_width", "late_5"} < {*of_model}


def test_the_model_is_the_best_and_its_interval_holds(answer: dict[str, Any]) -> None:
    predictors = answer["predictors"]
    assert min(predictors, key=lambda name: predictors[name]["mae"]) == "model"
    # 250 trips calibrated it, and the boosters that serve have learnt of these as well.
    assert 0.75 < predictors["model"]["coverage_80"] < 0.9


def test_segments_say_what_lies_in_them(answer: dict[str, Any]) -> None:
    segments = {segment["name"]: segment for segment in answer["segments"]}
    expected = {"unseen pair", "pickup unknown", "dropoff unknown", "from an airport", "weekend"}
    assert segments.keys() > expected
    for figures in segments.values():
        assert list(figures) == ["name", "trips", "mae", "floor_mae", "coverage_80"]
        assert 0 < figures["trips"] < answer["test_trips"]
    unseen = segments["unseen pair"]
    assert unseen["mae"] < unseen["floor_mae"]


def test_a_file_for_the_test_gives_the_same_as_a_split_at_its_beginning(
    folder: Path, answer: dict[str, Any]
) -> None:
    history = [folder / "2019-02.parquet", folder / "2019-01.parquet"]
    done = evaluate("--trips", *history, "--test", folder / "2019-03.parquet", "--json")
    assert json.loads(done.stdout) == answer


def test_paths_may_follow_an_equals_sign(folder: Path, answer: dict[str, Any]) -> None:
    months = [str(folder / f"2019-0{month}.parquet") for month in (1, 2, 3)]
    done = evaluate(f"--trips={months[0]}", *months[1:], "--split=2019-03-01", "--json")
    assert json.loads(done.stdout) == answer


def test_a_test_that_begins_before_the_fit_ends_is_warned_of_beside_the_answer(
    folder: Path,
) -> None:
    months = [folder / f"2019-0{month}.parquet" for month in (1, 3, 2)]
    done = evaluate("--trips", *months[:2], "--test", months[2], "--json", mix_stderr=False)
    assert done.stderr.startswith("Warning: the test begins at 2019-02-01")
    assert json.loads(done.stdout)["test_trips"] == 1_000
    later = evaluate("--trips", months[0], "--test", months[2], mix_stderr=False)
    assert later.stderr == ""
    assert "1,000 trips to fit, 1,000 to test" in later.stdout


def test_without_more_the_last_fifth_of_the_time_is_tested(folder: Path) -> None:
    done = evaluate("--trips", folder / "2019-01.parquet", "--json")
    found = json.loads(done.stdout)
    assert found["train_trips"] + found["test_trips"] == 1_000
    assert found["test_trips"] == pytest.approx(200, abs=40)


def test_a_portal_export_is_read_as_well(folder: Path, tmp_path: Path) -> None:
    trips = pq.read_table(folder / "2019-01.parquet")
    times = [f"{t:%m/%d/%Y %I:%M:%S %p}" for t in trips["trip_start_timestamp"].to_pylist()]
    export = pa.table(
        {
            "Trip Start Timestamp": times,
            "Trip Seconds": [f"{int(s):,}" for s in trips["trip_seconds"].to_pylist()],
            "Pickup Community Area": trips["pickup_community_area"],
            "Dropoff Community Area": trips["dropoff_community_area"],
        }
    )
    pa_csv.write_csv(export, tmp_path / "export.csv")
    of_csv = evaluate("--trips", tmp_path / "export.csv", "--json")
    of_parquet = evaluate("--trips", folder / "2019-01.parquet", "--json")
    assert of_csv.exit_code == 0, of_csv.output
    assert json.loads(of_csv.stdout) == json.loads(of_parquet.stdout)


def test_a_column_that_is_not_needed_may_hold_anything(folder: Path, tmp_path: Path) -> None:
    trips = pq.read_table(folder / "2019-01.parquet")
    spoilt = trips.append_column("Fare", pa.array(["n/a"] * trips.num_rows))
    pa_csv.write_csv(spoilt, tmp_path / "spoilt.csv")
    of_csv = evaluate("--trips", tmp_path / "spoilt.csv", "--json")
    of_parquet = evaluate("--trips", written(tmp_path / "spoilt.parquet", spoilt), "--json")
    assert of_csv.exit_code == 0, of_csv.output
    assert json.loads(of_csv.stdout) == json.loads(of_parquet.stdout)


def test_a_person_reads_tables(folder: Path) -> None:
    done = evaluate("--trips", folder / "2019-01.parquet")
    assert done.exit_code == 0
    for word in ("extra trees", "model", "interval", "unseen pair", "MAE min"):
        assert word in done.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--trips", "nowhere.parquet"], "nowhere.parquet does not exist"),
        (["--trips", "text.parquet"], "text.parquet cannot be read"),
        (["--trips", "broken.csv"], "broken.csv: Trips have no column"),
        (["--trips", "lacking.parquet"], "no column trip_seconds"),
        (
            ["--trips", "lacking.parquet"],
            "A file needs the columns trip_start_timestamp, trip_seco",
        ),
        (["--trips", "empty.parquet"], "None of the 0 rows"),
        (["--trips", "good.parquet", "--split", "2030-01-01"], "no trips to test on"),
        (["--trips", "good.parquet", "--split", "2000-01-01"], "no trips to train on"),
        (["--trips", "good.parquet", "--split", "soon"], "is no time such as"),
        (["--trips", "two.parquet", "--test", "good.parquet"], "too few trips to train on"),
        (["--trips", "good.parquet", "--split", "2019-01-09T00:00:00Z"], "has a zone"),
        (["--trips", "good.parquet", "--test"], "Option '--test' needs at least one path"),
        (["--trips", "good.parquet", "--test", "--json"], "Option '--test' needs"),
        (["--trips", "--json"], "Option '--trips' needs"),
        (["--trips=", "--json"], "Option '--trips' needs"),
        (["--trips", "."], "cannot be read"),
        ([], "Missing option '--trips'"),
    ],
)
def test_what_cannot_be_evaluated_is_told(words: list[str], told: str, tmp_path: Path) -> None:
    trips = make_trips("2019-01", count=100)
    written(tmp_path / "good.parquet", trips)
    written(tmp_path / "two.parquet", trips.slice(0, 2))
    written(tmp_path / "empty.parquet", trips.slice(0, 0))
    written(tmp_path / "lacking.parquet", trips.drop_columns(["trip_seconds"]))
    (tmp_path / "text.parquet").write_text("no parquet")
    (tmp_path / "broken.csv").write_text("a,b\n1,2\n")
    is_path = {"--trips", "--test"}
    given = [
        str(tmp_path / word) if before in is_path and word[0] != "-" else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    done = evaluate(*given)
    assert done.exit_code != 0
    assert told in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
