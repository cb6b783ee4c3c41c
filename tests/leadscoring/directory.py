"""A small directory of a company that lets people in by OpenID Connect, over real HTTP."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import jwt
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

CLIENT = {"client_id": "leads", "client_secret": "made up"}


class Directory:
    """Says of whoever comes what a test tells it to. `broken`: pages that answer nonsense."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {
            "sub": "1", "email": "ada@northwind.example", "email_verified": True
        }  # fmt: skip
        self.claims: dict[str, Any] = {}
        self.broken: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        page = request.path.rpartition("/")[2]
        answer = (
            Response("[]")
            if page in self.broken
            else getattr(self, page.replace("-", "_"))(request)
        )
        return answer(environ, start_response)

    def openid_configuration(self, request: Request) -> Response:
        pages = {
            f"{page}_endpoint": f"{self.url}/{page}"
            for page in ("authorization", "token", "userinfo")
        }
        return Response(json.dumps(pages | {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}))

    def authorization(self, request: Request) -> Response:
        self.asked.append(request.args.to_dict())
        back = urlencode({"code": "7", "state": request.args["state"]})
        return Response(status=302, headers={"Location": f"{request.args['redirect_uri']}?{back}"})

    def token(self, request: Request) -> Response:
        """Give a token to who shows the secret and what the challenge was made of."""
        verifier = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        given = {name: request.form.get(name) for name in CLIENT}
        if given != CLIENT or self.asked[-1]["code_challenge"] != challenge:
            return Response('{"error": "invalid_client"}', status=401)
        claims = {"iss": self.url, "aud": "leads", "sub": "1", "exp": time.time() + 60}
        id_token = jwt.encode(claims | self.claims, "x" * 32)
        return Response(
            json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": id_token}),
            content_type="application/json",
        )

    def userinfo(self, request: Request) -> Response:
        return Response(json.dumps(self.person))


@contextmanager
def running_directory() -> Iterator[Directory]:
    directory = Directory()
    server = make_server("127.0.0.1", 0, directory, threaded=True)
    directory.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield directory
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
