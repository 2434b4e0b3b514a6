from taxi_duration.pipeline import gate as gating
from taxi_duration.pipeline.blocks import block_settings


@transformer
def gate(evaluated, *args, **kwargs):
    """Decide whether the candidate takes the champion's place; a refusal is a decision as well."""
    return gating.gate(block_settings(evaluated), evaluated)


@test
def the_decision_has_a_reason_and_is_stored(gated, *args):
    decision = gated["decision"]
    assert isinstance(decision["promoted"], bool), decision
    assert decision["reason"], decision
    assert decision["page"].startswith("http"), decision
