"""The two import commands, but for what their rows are."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils.timezone import now

from leadscoring.intake.csv_import.importer import FileImport, ImportKind, open_import
from leadscoring.intake.csv_import.reader import UnreadableFile
from leadscoring.management import command
from leadscoring.management.command import existing_file_argument, source_name_argument


class ImportCommand(command.JsonCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=existing_file_argument, metavar="FILE.csv", nargs="?")
        parser.add_argument(
            "--map",
            type=_split_mapping_arguments,
            action="extend",
            nargs="+",
            default=[],
            metavar="NAME=COLUMN",
            help="a field (or a new property) and the column it is in, where the guess fails",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, do nothing"
        )
        parser.add_argument(
            "--errors",
            type=Path,
            metavar="FILE",
            help="where rejected rows go, with line and reason "
            "(default: FILE.errors.csv; in a dry run nowhere)",
        )

        parser.add_argument(
            "--id-source",
            type=source_name_argument,
            metavar="NAME",
            help="whose ids the id column holds, where they are not the company's own: "
            "two files that count from 1 need two names",
        )

    def kind(self, **options: Any) -> ImportKind:
        raise NotImplementedError

    def run(self, **options: Any) -> int:
        running = self.opened(options)
        began = time.monotonic()
        batches = (running.rehearse if options["dry_run"] else running.run)(now)
        try:
            for _ in self.progress(batches, total=running.table.lines, what="rows"):
                pass
        except OSError as wrong:
            raise CommandError(f"{wrong.filename}: {wrong.strerror}.") from None
        self.tell(running, options["dry_run"], time.monotonic() - began)
        return command.WRONG if running.counts["rejected"] else 0

    def opened(self, options: dict[str, Any]) -> FileImport:
        pairs = [each for each in options["map"] if not isinstance(each, Path)]
        files = [each for each in (options["file"], *options["map"]) if isinstance(each, Path)]
        if len(files) != 1:
            raise CommandError("Name one file to import.")
        wanted, file, errors = dict(pairs), files[0], options["errors"]
        if len(wanted) < len(pairs):
            raise CommandError("--map names a field twice.")
        if errors and errors.resolve() == file.resolve():
            raise CommandError("--errors must be another file than the one that is imported.")
        try:
            if not errors and not options["dry_run"]:
                errors = file.with_suffix(".errors.csv")
            return open_import(self.kind(**options), file, wanted, errors)
        except UnreadableFile as wrong:
            raise CommandError(f"{file}: {wrong}") from None
        except OSError as wrong:
            raise CommandError(f"{file}: {wrong.strerror}.") from None

    def tell(self, running: FileImport, dry: bool, seconds: float) -> None:
        rows, errors = running.counts.total(), running.errors
        counts = {word: running.counts[word] for word in (*running.kind.words, "rejected")}
        names = running.columns.titles
        found = {**running.columns.fields, **running.columns.properties}
        document = {
            "rows": rows,
            **counts,
            "dry_run": dry,
            "seconds": round(seconds, 2),
            "rows_per_second": round(rows / seconds) if seconds else 0,
            "rejections": [{"line": line, "reason": why} for line, why in running.rejections],
            "errors_file": str(errors.path) if errors and errors.rows else None,
            "columns": {name: names[place] for name, place in found.items()},
        }
        self.answer(document, _result_sentences(document, counts))


def _split_mapping_arguments(text: str) -> tuple[str, str] | Path:
    """Return a pair behind --map, or the file where it comes last."""
    return _parse_mapping(text) if "=" in text or not Path(text).is_file() else Path(text)


def _parse_mapping(text: str) -> tuple[str, str]:
    name, sign, column = text.partition("=")
    if not (name.strip() and sign and column.strip()):
        raise ArgumentTypeError(f"{text!r} is not NAME=COLUMN")
    return name.strip(), column.strip()


def _result_sentences(document: dict[str, Any], counts: dict[str, int]) -> str:
    done = ", ".join(f"{number:,} {word}" for word, number in counts.items())
    lines = [f"{document['rows']:,} rows: {done} ({document['rows_per_second']:,} rows/s)."]
    lines += [f"line {one['line']}: {one['reason']}" for one in document["rejections"]]
    if document["errors_file"]:
        lines.append(f"All rejected rows are in {document['errors_file']}: mend and import it.")
    if document["dry_run"]:
        lines.append("This was a dry run: nothing was changed.")
    return "\n".join(lines)
