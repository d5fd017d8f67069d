"""A web server on 127.0.0.1 that records what it is asked, and answers with a file or a redirect."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LoopbackServer(ThreadingHTTPServer):
    """The server; runs in a thread within a `with` block.

    `requests` holds (path, headers, body) of each request. `redirects` maps a path to an address; any other path is
    answered with `content`.
    """

    daemon_threads = True

    def __init__(self, content: bytes = b"content"):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.requests: list[tuple[str, dict, bytes]] = []
        self.redirects: dict[str, str] = {}
        self.status = 302  # of redirects

    def address(self, path: str, host: str = "127.0.0.1", user: str = "") -> str:
        """Returns an address of this server."""
        return f"http://{user}{host}:{self.server_address[1]}{path}"

    def __enter__(self) -> "LoopbackServer":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, dict(self.headers), body))
        target = self.server.redirects.get(self.path)
        content = b"" if target else self.server.content
        self.send_response(self.server.status if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Prints nothing."""
