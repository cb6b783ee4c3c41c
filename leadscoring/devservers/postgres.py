"""PostgreSQL: its cluster, its options, and its check that it answers."""

import subprocess

from leadscoring.devservers.binaries import POSTGRES, binary_version, find_binary
from leadscoring.devservers.permissions import write_private
from leadscoring.devservers.process_id import process_start_time
from leadscoring.devservers.server import Server, ServerError, server_environment

NO_PROCESS = 2**30  # above every system's highest process id


class Postgres(Server):
    name = "PostgreSQL"

    def prepare(self) -> None:
        self.binary = find_binary(POSTGRES, self.home / "programs")
        if not (self.data / "PG_VERSION").exists():
            self.make_cluster()
        self.disown_stale_lock()

    def disown_stale_lock(self) -> None:
        """Let PostgreSQL see that a lock file is stale where a bare process id cannot show it.

        That is in a copied folder (the id is the original's) and where dead processes are not reaped
        (some containers). The rest of the file stays: PostgreSQL finds survivors by it.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists():
            pid, data, *rest = lock.read_text().split("\n")
            if data != str(self.data) or not process_start_time(int(pid)):
                write_private(lock, "\n".join([str(NO_PROCESS), data, *rest]))

    def make_cluster(self) -> None:
        # Letters beyond ASCII need a locale for upper and lower; 17 brings one of its own.
        own = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        locale = own if binary_version(self.binary) >= 17 else ("--locale=C.UTF-8",)
        made = subprocess.run(
            self.guarded([
                str(self.binary.parent / "initdb"), "-D", str(self.data), "-U", "leadscoring",
                "-E", "UTF8", *locale, "--auth=scram-sha-256", f"--pwfile={self.home}/password",
                "--no-instructions", *(() if self.durable else ("--no-sync",)),
            ]),
            cwd="/", env=server_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
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
