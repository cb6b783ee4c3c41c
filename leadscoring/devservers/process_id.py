"""Whether a process is still the one that was meant."""

import subprocess
import sys
from pathlib import Path


def process_start_time(pid: int) -> str:
    """Return when a process began, in the system's own words; "" when there is none.

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
