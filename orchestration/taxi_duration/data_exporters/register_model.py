from taxi_duration.pipeline import checks
from taxi_duration.pipeline import gate as gating
from taxi_duration.pipeline.blocks import block_settings


@data_exporter
def register_model(gated, *args, **kwargs):
    """Register the candidate; the alias moves to it if the gate promoted it."""
    return gating.register_model(block_settings(gated), gated)


@test
def the_registry_agrees(registered, *args):
    champion = checks.champion_version(block_settings(registered))
    assert champion == registered["champion"], f"{champion} serves, not {registered['champion']}"
    assert not registered["promoted"] or champion == registered["version"], registered["reason"]


@test
def nothing_is_promoted_against_the_gate(registered, *args):
    decided = registered["decision"]["promoted"]
    assert decided or not registered["promoted"], registered["decision"]
