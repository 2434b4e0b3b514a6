"""What a stack must never lose: every run, model, report and prediction."""

from dataclasses import dataclass, fields

from containers.compose_stack import ComposeStack


@dataclass(frozen=True)
class Kept:
    """Each a set of what identifies one thing and what it holds."""

    runs: set[str]
    models: set[str]
    pipeline_runs: set[str]
    figures: set[str]
    predictions: set[str]
    objects: set[str]

    @classmethod
    def of(cls, stack: ComposeStack) -> "Kept":
        """All that there is now."""
        return cls(
            runs=stack.query(
                "mlflow",
                "SELECT run_uuid, status,"
                " (SELECT count(*) FROM metrics WHERE metrics.run_uuid = runs.run_uuid),"
                " (SELECT count(*) FROM tags WHERE tags.run_uuid = runs.run_uuid) FROM runs",
            ),
            models=stack.query(
                "mlflow",
                "SELECT name, version, run_id, source, alias FROM model_versions"
                " LEFT JOIN registered_model_aliases USING (name, version)",
            ),
            pipeline_runs=stack.query(
                "mage", "SELECT id, pipeline_uuid, created_at FROM pipeline_run"
            ),
            figures=stack.query("taxi", "SELECT * FROM monitoring.performance")
            | stack.query("taxi", "SELECT * FROM monitoring.gate_decisions")
            | stack.query("taxi", "SELECT * FROM monitoring.model_history"),
            predictions=stack.query(
                "taxi", "SELECT id, trip_id, prediction FROM monitoring.predictions"
            ),
            objects=set(
                stack.inside("mage", "python", "-m", "taxi_duration.archive", "list").splitlines()
            ),
        )

    def missing_from(self, later: "Kept") -> dict[str, set[str]]:
        """What was here and is not there any more, by kind."""
        lost = {
            each.name: getattr(self, each.name) - getattr(later, each.name) for each in fields(self)
        }
        return {kind: things for kind, things in lost.items() if things}

    def counts(self) -> str:
        """Such as `runs 3, models 1, …`."""
        return ", ".join(f"{each.name} {len(getattr(self, each.name))}" for each in fields(self))
