"""Addresses of static files that change with their content, so that browsers may keep them for ever.

The version is a part of the path of all files: what they refer to among themselves needs no rewriting,
nothing has to be collected before a start, and no file can be missing in a list.
"""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from wsgiref.headers import Headers

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponseRedirect


def folders_of_apps(apps: Iterable[str]) -> Iterator[Path]:
    """Yield the folders in which Django looks for the static files of apps."""
    for app in apps:
        # By the outermost package: to find an inner one imports those around it, which may want settings.
        package, *inner = app.partition(".apps.")[0].split(".")
        spec = find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            yield Path(place, *inner, "static")


def digest(folders: Iterable[Path]) -> str:
    """Return a text that differs when any file in the folders does, on whatever machine."""
    content = hashlib.blake2b(digest_size=6)
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content.update(f"{path.relative_to(folder)}\0".encode())
            content.update(path.read_bytes())
    return content.hexdigest()


def keep_for_a_year(headers: Headers, path: str, url: str) -> None:
    """Tell browsers not to ask again: another content has another address."""
    headers["Cache-Control"] = "public, max-age=31536000, immutable"


def current_file(request: HttpRequest, version: str, name: str) -> HttpResponseRedirect:
    """Lead from another release's address of a file to ours: both serve while one replaces the other."""
    address = staticfiles_storage.url(name)
    if address == request.path or not finders.find(name):
        raise Http404
    return HttpResponseRedirect(address)
