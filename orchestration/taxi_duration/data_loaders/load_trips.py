from taxi_duration.pipeline import loading
from taxi_duration.pipeline.blocks import block_settings
from taxi_duration.pipeline.variables import RunVariables


@data_loader
def load_trips(*args, **kwargs):
    """Fetch the run's month, and what is missing of the months before it, as the City has them."""
    settings = block_settings(kwargs)
    return loading.load_trips(settings, RunVariables.from_mage(settings, kwargs))


@test
def every_month_has_trips(loaded, *args):
    months = {loaded["month"], *loaded["history"]}
    assert set(loaded["rows"]) == months, f"asked for {months}, loaded {loaded['rows']}"
    assert all(loaded["rows"].values()), f"a month without trips: {loaded['rows']}"


@test
def no_month_has_more_trips_than_asked_for(loaded, *args):
    asked = loaded["asked"]
    assert not asked or max(loaded["rows"].values()) <= asked, f"{loaded['rows']}, asked {asked}"
