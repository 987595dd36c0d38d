"""A stand-in for Google Cloud Storage: TensorFlow's own `gs://` client talks to it, through a proxy on this machine.

The client must be in another process: some of TensorFlow's readers hold Python's lock while they wait. It answers what
`tsl/platform/cloud/gcs_file_system.cc` asks of the JSON API: objects in a dict, no directories but by name, no append,
and renaming by copies. https://cloud.google.com/storage/docs/json_api/v1
"""

import contextlib
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

HOSTS = ("www.googleapis.com", "storage.googleapis.com")
OBJECT = re.compile(r"/storage/v1/b/bucket/o/([^/]+)")
REWRITE = re.compile(r"/storage/v1/b/bucket/o/([^/]+)/rewriteTo/b/bucket/o/([^/]+)")
UPLOAD = "/upload/storage/v1/b/bucket/o"


class Storage:
    """The objects of the one bucket, `gs://bucket`, by name.

    Attributes:
        objects: what they hold.
        created: the names under which something was put or renamed, one after the other.
    """

    def __init__(self):
        self.objects: dict[str, bytes] = {}
        self.created: list[str] = []

    def put(self, name: str, content: bytes) -> None:
        self.objects[name] = content
        self.created.append(name)

    def listed(self, prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
        """Names that begin so; those in what looks like directories below are left out and their directories named."""
        names, directories = [], set()
        for name in sorted(self.objects):
            if name.startswith(prefix):
                inner, slash, _ = name.removeprefix(prefix).partition(delimiter) if delimiter else (name, "", "")
                directories.add(prefix + inner + slash) if slash else names.append(name)
        return names, sorted(directories)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    context: ssl.SSLContext
    storage: Storage

    def do_CONNECT(self) -> None:
        """The proxy's part: we are whoever is asked for."""
        self.send_response(200)
        self.end_headers()
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers["Host"] == HOSTS[1]:
            self._read(unquote(url.path.removeprefix("/bucket/")))
        elif found := OBJECT.fullmatch(url.path):
            self._describe(unquote(found[1]))
        elif url.path == "/storage/v1/b/bucket/o":
            names, directories = self.storage.listed(query.get("prefix", ""), query.get("delimiter", ""))
            names = names[: int(query.get("maxResults", 1_000_000))]
            self._answer(200, {"items": [{"name": name} for name in names], "prefixes": directories})
        else:
            self._answer(200 if url.path == "/storage/v1/b/bucket" else 404, {})

    def _read(self, name: str) -> None:
        content = self.storage.objects.get(name)
        if content is None:
            return self._answer(404, {})
        start, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        return self._answer(206 if start < len(content) else 416, content[start : end + 1])

    def _describe(self, name: str) -> None:
        if name in self.storage.objects:
            size = str(len(self.storage.objects[name]))
            self._answer(200, {"size": size, "generation": "1", "updated": "2025-01-01T00:00:00.000Z"})
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        body = self._body()
        if url.path == UPLOAD:
            query = parse_qs(url.query)
            if query["uploadType"] == ["media"]:
                self.storage.put(query["name"][0], body)
            self._answer(200, {}, Location=f"https://{HOSTS[0]}{UPLOAD}/session?name={query['name'][0]}")
        elif found := REWRITE.fullmatch(url.path):
            source, target = map(unquote, found.groups())
            if source in self.storage.objects:
                self.storage.put(target, self.storage.objects[source])
            self._answer(200 if source in self.storage.objects else 404, {"done": True})
        else:
            self._answer(400, {})

    def do_PUT(self) -> None:
        """The content of an upload that was announced by POST."""
        self.storage.put(urlsplit(self.path).query.removeprefix("name="), self._body())
        self._answer(200, {})

    def do_DELETE(self) -> None:
        found = self.storage.objects.pop(unquote(OBJECT.fullmatch(urlsplit(self.path).path)[1]), None)
        self._answer(404 if found is None else 204, b"")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, content: dict | bytes, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Says nothing."""


@contextlib.contextmanager
def storage(folder: pathlib.Path) -> Iterator[tuple[Storage, dict[str, str]]]:
    """A bucket, and the environment in which `gs://bucket` is it; `folder` is for a certificate."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=storage"]
        + ["-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    bucket = Storage()
    handler = type("Handler", (_Handler,), {"context": context, "storage": bucket})
    server = http.server.ThreadingHTTPServer(("localhost", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield (
            bucket,
            {
                "https_proxy": f"http://localhost:{server.server_port}",
                "no_proxy": "",
                "CURL_CA_BUNDLE": str(certificate),
                "NO_GCE_CHECK": "true",  # Nobody is asked who we are.
                "CLOUDSDK_CONFIG": str(folder),
                "GCS_RETRY_CONFIG_MAX_RETRIES": "0",
            },
        )
    finally:
        server.shutdown()
        server.server_close()
