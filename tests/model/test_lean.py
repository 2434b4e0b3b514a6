"""Each in a process of its own: what is imported stays."""

import subprocess
import sys

IMPORT = "import sys; from taxi_duration.model.lean import import_lightgbm; import_lightgbm(); "
TRAINING = "{'pandas', 'sklearn', 'pyarrow', 'matplotlib'}"


def run(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_lightgbm_and_the_model_come_without_what_only_training_needs() -> None:
    program = f"{IMPORT}import taxi_duration.model.duration_model; "
    assert run(f"{program}print({TRAINING} & set(sys.modules))") == "set()\n"


def test_what_was_hidden_can_be_imported_afterwards() -> None:
    assert run(f"{IMPORT}import pandas; print(pandas.DataFrame.__name__)") == "DataFrame\n"


def test_what_was_imported_before_stays() -> None:
    program = f"import pandas; {IMPORT}"
    assert run(f"{program}print(sys.modules['pandas'] is pandas)") == "True\n"
