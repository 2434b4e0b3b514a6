from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from taxi_duration.errors import DamagedModelError, OtherFeaturesError
from taxi_duration.model.duration_model import INFO_FILE, DurationModel, saved_info
from taxi_duration.model.features import feature_row
from trips_factory import make_trips, model_for_other_features, sample, small_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_model().save(tmp_path / "model")
    return tmp_path / "model"


def test_the_interval_never_crosses_the_prediction() -> None:
    lower, prediction, upper = small_model().predict(sample(make_trips("2019-05")).features).T
    assert (lower <= prediction).all()
    assert (prediction <= upper).all()


def test_no_answer_is_shorter_than_the_shortest_trip() -> None:
    model = small_model()
    strict = DurationModel(model.boosters, msgspec.structs.replace(model.info, min_minutes=20.0))
    minutes = strict.predict(sample(make_trips("2019-05")).features)
    assert minutes.min() == 20
    assert minutes[:, 0].max() > 20


def test_no_answer_is_below_zero_even_where_bounds_and_margin_would_let_it() -> None:
    model = small_model()
    info = msgspec.structs.replace(
        model.info, min_minutes=-5.0, interval_margin=50.0, group_margins={}
    )
    minutes = DurationModel(model.boosters, info).predict(sample(make_trips("2019-05")).features)
    assert minutes.min() == 0


def test_a_group_without_a_margin_of_its_own_has_the_common_one() -> None:
    model = small_model()
    wide = msgspec.structs.replace(
        model.info, interval_margin=5.0, group_margins={"from an airport": 0.0}
    )
    answers = DurationModel(model.boosters, wide)
    plain = DurationModel(
        model.boosters, msgspec.structs.replace(wide, interval_margin=0.0, group_margins={})
    )
    noon = datetime(2019, 3, 1, 12)
    assert answers.answer(76, 32, noon) == plain.answer(76, 32, noon)
    assert answers.answer(28, 32, noon).upper == plain.answer(28, 32, noon).upper + 5


def test_a_pair_that_the_model_did_not_see_has_the_margin_of_those() -> None:
    model = small_model()
    info = msgspec.structs.replace(
        model.info, interval_margin=0.0, group_margins={"unseen pair": 5.0}, seen_pairs={28: (32,)}
    )
    seen = DurationModel(model.boosters, info)
    plain = DurationModel(model.boosters, msgspec.structs.replace(info, group_margins={}))
    former = DurationModel(model.boosters, msgspec.structs.replace(info, seen_pairs=None))
    noon = datetime(2019, 3, 1, 12)
    for pickup, dropoff, more in ((28, 32, 0), (32, 28, 5), (None, 32, 5)):
        expected = plain.answer(pickup, dropoff, noon).upper
        assert seen.answer(pickup, dropoff, noon).upper == expected + more
        assert former.answer(pickup, dropoff, noon).upper == expected
        seen_row, rows = feature_row(pickup, dropoff, noon), DurationModel(model.boosters, info)
        rows.prepare_rows()
        np.testing.assert_array_equal(rows.predict_row(seen_row), seen.predict(seen_row))


def test_more_threads_give_the_same_answers() -> None:
    features = sample(make_trips("2019-05", count=300)).features
    one, two = (small_model().predict(features, threads=threads) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_trip_alone_is_answered_as_in_a_list() -> None:
    features = sample(make_trips("2019-05", count=50)).features
    together = small_model().predict(features)
    alone = np.vstack([small_model().predict(features[[n]]) for n in range(len(features))])
    np.testing.assert_array_equal(together, alone)


def test_a_saved_model_answers_the_same(folder: Path) -> None:
    loaded = DurationModel.load(folder)
    features = sample(make_trips("2019-05")).features
    np.testing.assert_array_equal(loaded.predict(features), small_model().predict(features))
    assert loaded.info == small_model().info
    assert loaded.info.golden
    loaded.save(folder)
    assert DurationModel.load(folder).info == loaded.info


def test_a_saved_model_is_text_only(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "lower.txt",
        INFO_FILE,
        "prediction.txt",
        "upper.txt",
    ]
    for path in folder.iterdir():
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["lower.txt", "prediction.txt", "upper.txt"])
def test_a_changed_file_is_refused(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes().replace(b"leaf_value=", b"leaf_value=9", 1))
    with pytest.raises(DamagedModelError, match=rf"{name}.*hash"):
        DurationModel.load(folder)


@pytest.mark.parametrize("name", ["lower.txt", INFO_FILE])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DamagedModelError, match=name):
        DurationModel.load(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"no json", b'{"info": {}, "sha256": {}}'])
def test_a_description_that_cannot_be_read_is_refused(folder: Path, content: bytes) -> None:
    (folder / INFO_FILE).write_bytes(content)
    with pytest.raises(DamagedModelError, match=INFO_FILE):
        DurationModel.load(folder)


def test_a_model_that_answers_its_golden_trips_otherwise_is_refused(folder: Path) -> None:
    model = small_model()
    moved = {name: margin + 0.05 for name, margin in model.info.group_margins.items()}
    info = msgspec.structs.replace(model.info, group_margins=moved)
    DurationModel(model.boosters, info).save(folder)
    with pytest.raises(DamagedModelError, match="golden trip"):
        DurationModel.load(folder)


def test_a_model_without_golden_trips_is_refused(folder: Path) -> None:
    model = small_model()
    DurationModel(model.boosters, msgspec.structs.replace(model.info, golden=())).save(folder)
    with pytest.raises(DamagedModelError, match="no golden trips"):
        DurationModel.load(folder)


def test_a_model_for_other_features_is_refused_with_a_remedy(folder: Path) -> None:
    model_for_other_features().save(folder)
    with pytest.raises(OtherFeaturesError, match=r"other features.*Train a model"):
        DurationModel.load(folder)


def test_what_a_model_says_of_itself_can_be_read_whatever_its_features(folder: Path) -> None:
    model = model_for_other_features()
    model.save(folder)
    assert saved_info(folder) == model.info


def test_what_a_damaged_model_says_of_itself_is_refused(folder: Path) -> None:
    (folder / "lower.txt").write_text("damaged")
    with pytest.raises(DamagedModelError, match=r"lower\.txt"):
        saved_info(folder)


def test_what_a_model_without_golden_trips_says_of_itself_is_refused(folder: Path) -> None:
    model = small_model()
    DurationModel(model.boosters, msgspec.structs.replace(model.info, golden=())).save(folder)
    with pytest.raises(DamagedModelError, match="no golden trips"):
        saved_info(folder)


@pytest.mark.parametrize("read", [DurationModel.load, saved_info])
def test_what_is_wrong_with_a_copy_is_told_of_where_it_came_from(
    folder: Path, read: Callable[[Path, str], object]
) -> None:
    address = "models:/taxi-duration/3"
    for name in ("upper.txt", INFO_FILE):
        (folder / name).unlink()
        with pytest.raises(DamagedModelError, match=f"^{address}/{name} is not") as raised:
            read(folder, address)
        assert str(folder) not in str(raised.value)


def test_a_copy_of_a_model_for_other_features_is_told_of_where_it_came_from(folder: Path) -> None:
    model_for_other_features().save(folder)
    with pytest.raises(OtherFeaturesError, match=r"^The model models:/taxi-duration/3 expects"):
        DurationModel.load(folder, "models:/taxi-duration/3")
