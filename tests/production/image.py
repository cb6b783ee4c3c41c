"""What `COPY . .` takes into an image, by Docker's rules for ignore files."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]


def pattern(text: str) -> re.Pattern[str]:
    """One pattern as a regular expression: `*` and `?` stop at a slash, `**` does not."""
    signs = re.findall(r"\*\*/?|.", text.strip("/"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(sign, re.escape(sign)) for sign in signs))


def patterns(ignore_file: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Whether each line takes out or (`!`) lets in again, and what."""
    lines = [line.strip() for line in ignore_file.splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    return [(not line.startswith("!"), pattern(line.removeprefix("!"))) for line in wanted]


def taken_in(paths: Iterable[str], ignore_file: str) -> set[str]:
    """The paths that are not ignored: the last pattern that fits a path or a folder above it decides."""
    rules = patterns(ignore_file)
    found = set()
    for path in paths:
        above = [str(part) for part in PurePosixPath(path).parents][:-1]
        ignored = False
        for takes_out, rule in rules:
            if any(rule.fullmatch(part) for part in (path, *above)):
                ignored = takes_out
        if not ignored:
            found.add(path)
    return found


def sources() -> list[str]:
    """The files of the checkout that are under version control, or would be."""
    said = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for path in said.stdout.split("\0") if path and (ROOT / path).is_file()]


def image(name: str = "") -> set[str]:
    """The files of an image: of `Dockerfile`, or of `Dockerfile.name`."""
    file = ROOT / (f"Dockerfile.{name}.dockerignore" if name else ".dockerignore")
    return taken_in(sources(), file.read_text())


def copy_image(folder: Path, name: str = "") -> Path:
    """The image's files in a folder that everybody may read and only we may change."""
    for path in image(name):
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)
    for each in [folder, *folder.rglob("*")]:
        each.chmod(0o755 if each.is_dir() else 0o444)
    return folder
