from taxi_duration.pipeline import checks, loading
from taxi_duration.pipeline.blocks import block_settings


@transformer
def clean_trips(loaded, *args, **kwargs):
    """Type and check the trips; good ones go to the lake, the others to quarantine with a reason."""
    return loading.clean_trips(block_settings(loaded), loaded)


@test
def every_row_is_a_trip_or_in_quarantine(cleaned, *args):
    for month, rows in cleaned["rows"].items():
        kept, refused = cleaned["trips"][month], sum(cleaned["quarantined"][month].values())
        assert kept + refused == rows, f"{month}: {rows} rows, {kept} kept, {refused} refused"


@test
def the_lake_holds_what_was_kept_once(cleaned, *args):
    stored = checks.stored_trips(block_settings(cleaned), cleaned)
    assert stored == cleaned["trips"], f"the lake has {stored}, kept {cleaned['trips']}"


@test
def durations_are_inside_their_bounds(cleaned, *args):
    settings = block_settings(cleaned)
    shortest, longest = checks.durations(settings, cleaned)
    assert settings.min_minutes <= shortest <= longest <= settings.max_minutes, (shortest, longest)
