from taxi_duration.pipeline import loop


@condition
def retraining_wanted(decided, *args, **kwargs):
    """Queue a retraining only where the decision wants one."""
    return loop.retraining_wanted(decided)
