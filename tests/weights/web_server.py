"""A web server of our own that can hang up, forget what was asked, and answer as it is told."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Server:
    """Files by path, and how they are served; `asked` has the Range of each request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.hang_up_after: list[int] = []
        """Bytes after which each of the next requests is cut off."""
        self.knows_ranges = True
        self.moved: dict[str, str] = {}
        self.asked: list[str | None] = []
        self.paths: list[str] = []
        handler = type("Handler", (_Handler,), {"house": self})
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        self._thread = Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    house: Server

    def do_GET(self) -> None:
        house, wanted = self.house, self.headers.get("Range")
        house.asked.append(wanted)
        house.paths.append(self.path)
        if self.path in house.moved:
            self.send_response(302)
            self.send_header("Location", house.moved[self.path])
            self.end_headers()
            return
        if self.path not in house.files:
            self.send_error(404)
            return
        content, start = house.files[self.path], 0
        if wanted and house.knows_ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        rest = content[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: house.hang_up_after.pop(0)] if house.hang_up_after else rest)

    def log_message(self, *_: object) -> None:
        pass
