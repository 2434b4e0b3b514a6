from taxi_duration.pipeline import checks, training
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def register_model(evaluated, *args, **kwargs):
    """Register the new model; the alias moves to it if it is better than the one that holds it."""
    return training.register_model(block_settings(), evaluated)


@test
def the_registry_agrees(registered, *args):
    champion = checks.champion_version(block_settings())
    assert champion == registered["champion"], f"{champion} serves, not {registered['champion']}"
    assert registered["promoted"] == (champion == registered["version"]), registered["reason"]
