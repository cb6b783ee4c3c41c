"""The import commands, but for what their rows are."""

import time
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import CommandError
from django.utils.timezone import now

from leadscoring.intake.csv_import.columns import Choices
from leadscoring.intake.csv_import.encoding import UnreadableFile
from leadscoring.intake.csv_import.error_file import ErrorFile
from leadscoring.intake.csv_import.importer import FileImport, ImportKind, open_import
from leadscoring.intake.csv_import.values import DAY_FIRST, MONTH_FIRST
from leadscoring.management import command
from leadscoring.management.command import existing_file_argument, source_name_argument


class ImportCommand(command.JsonCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=existing_file_argument, metavar="FILE", nargs="?")
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
            "--only-mapped",
            action="store_true",
            help="take the columns of --map alone; who wants no mail is found all the same",
        )
        parser.add_argument(
            "--encoding",
            type=_encoding_argument,
            metavar="NAME",
            help="such as cp1252 or shift_jis (default: found out)",
        )
        parser.add_argument(
            "--sheet", metavar="NAME", help="of a spreadsheet (default: the first with rows)"
        )
        parser.add_argument(
            "--time-zone",
            type=_zone_argument,
            metavar="ZONE",
            help="where times without an offset were written, such as Europe/Berlin",
        )
        parser.add_argument(
            "--time-format",
            type=_time_format_argument,
            metavar="FORMAT",
            help="day-first, month-first, or as in %%d.%%m.%%Y %%H:%%M",
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
            choices = Choices(
                wanted,
                options["only_mapped"],
                encoding=options["encoding"] or "",
                sheet=options["sheet"] or "",
                zone=options["time_zone"],
                time_form=options["time_format"] or "",
            )
            return open_import(self.kind(**options), file, choices, errors, now())
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
            "errors_file": str(errors.path)
            if isinstance(errors, ErrorFile) and errors.rows
            else None,
            "columns": {name: names[place] for name, place in found.items()},
            "encoding": running.table.encoding,
            "delimiter": running.table.delimiter,
            "sheet": running.table.sheet or None,
            "left_out": list(running.columns.left_out),
            "notes": running.notes,
        }
        if not running.kind.listed:
            document["suppressed"] = running.suppressed
        wishing = [one.title for one in running.reader.wish_columns if not one.wishes_only]
        document["no_mail_columns"] = wishing
        self.answer(document, _result_sentences(document, counts))


def _encoding_argument(text: str) -> str:
    try:
        "".encode(text)
    except (LookupError, ValueError):
        raise ArgumentTypeError(f"{text!r} is not an encoding that is known here") from None
    return text


def _zone_argument(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ArgumentTypeError(f"{text!r} is not a time zone such as Europe/Berlin") from None


def _time_format_argument(text: str) -> str:
    if text in (DAY_FIRST, MONTH_FIRST):
        return text
    try:
        now().strptime(now().strftime(text), text)
        if "%" in text:
            return text
    except ValueError:
        pass
    raise ArgumentTypeError(
        f"{text!r} is neither {DAY_FIRST}, {MONTH_FIRST} nor a format such as %d.%m.%Y %H:%M"
    )


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
    lines.append(_file_sentence(document))
    lines += document["notes"]
    if document["left_out"]:
        lines.append(
            f"{len(document['left_out'])} columns are left out, 100 fit: {', '.join(document['left_out'])}. "
            "Name those that are wanted with --map NAME=COLUMN."
        )
    if document.get("suppressed"):
        lines.append(_no_mail_sentence(document))
    if document["errors_file"]:
        lines.append(f"All rejected rows are in {document['errors_file']}: mend and import it.")
    if document["dry_run"]:
        lines.append("This was a dry run: nothing was changed.")
    return "\n".join(lines)


def _file_sentence(document: dict[str, Any]) -> str:
    if document["sheet"]:
        return f"Read from the sheet {document['sheet']!r}; --sheet NAME reads another."
    delimiter = "a tab" if document["delimiter"] == "\t" else document["delimiter"]
    return f"Read as {document['encoding']}, cells apart by {delimiter}; --encoding NAME reads it otherwise."


def _no_mail_sentence(document: dict[str, Any]) -> str:
    """Say who is put under *Do not mail*, and by which columns."""
    whose = ", ".join(map(repr, document["no_mail_columns"])) or "their activities"
    verb = "would go" if document["dry_run"] else "are"
    return (
        f"{document['suppressed']:,} addresses want no mail (by {whose}): they {verb} under Do not mail. "
        "A column that means something else is named with --map PROPERTY=COLUMN."
    )
