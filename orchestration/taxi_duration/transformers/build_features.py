from taxi_duration.pipeline import training
from taxi_duration.pipeline.blocks import block_settings


@transformer
def build_features(cleaned, *args, **kwargs):
    """Make the features: the months of history train, the month of the run tests."""
    return training.build_features(block_settings(cleaned), cleaned)


@test
def only_trips_of_the_lake_are_used(built, *args):
    features = built["features"]
    used = features["train"] + features["calibration"] + features["test"]
    assert used <= sum(built["trips"].values()), f"{features}, but only {built['trips']}"


@test
def no_part_of_the_split_is_empty(built, *args):
    parts = {name: built["features"][name] for name in ("train", "calibration", "test")}
    assert all(parts.values()), f"an empty part: {parts}"
