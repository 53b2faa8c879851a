# SPDX-License-Identifier: Apache-2.0
"""A registry of a hundred lines for what Debian's cannot do."""
import base64
import http.server
import json
import os
import urllib.parse

from archives import digest_of
from serving import Serving


class SmallRegistry(Serving, http.server.ThreadingHTTPServer):
    """What Debian's registry cannot do: takes up uploads that broke off, answers searches,
    serves manifests as they were put."""

    def __init__(self):
        super().__init__(SmallRegistryHandler)
        self.blobs, self.manifests, self.parts, self.uploads = {}, {}, {}, []
        self.seen = []  # method, path and authorization of each GET and HEAD
        self.cut = None  # bytes of the next PATCH that arrive before the connection breaks
        self.limit = None  # the most bytes that a PATCH may carry; more is refused unread
        self.password = None  # user:password that is asked for
        self.blobs_are_at = None  # another address that blobs are to be fetched from
        self.empty_repository = None  # a repository that has no blobs; without it, all have all


class SmallRegistryHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def is_stranger(self):
        if not self.server.password:
            return False
        wanted = "Basic " + base64.b64encode(self.server.password.encode()).decode()
        return self.headers.get("Authorization") != wanted

    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization")))
        if self.is_stranger():
            return self.answer(401, WWW_Authenticate='Basic realm="small"')
        if self.path == "/v2/":
            return self.answer(200)
        if self.server.blobs_are_at and "/blobs/sha256:" in self.path and self.command == "GET":
            return self.answer(307, Location=f"http://{self.server.blobs_are_at}{self.path}")
        if self.path.startswith("/v1/search?"):
            query = urllib.parse.parse_qs(self.path.partition("?")[2])
            results = [{"name": f"{query['q'][0]}{number}", "description": "what it is, at some length " * number,
                        "star_count": 10 * number, "is_official": number == 1} for number in range(1, 4)]
            return self.answer(200, json.dumps({"results": results[:int(query["n"][0])]}).encode())
        server, kind, name = self.server, self.path.rsplit("/", 2)[-2], self.path.rsplit("/", 1)[-1]
        if kind == "manifests" and name in server.manifests:
            type, body = server.manifests[name]
            return self.answer(200, body, Content_Type=type, Docker_Content_Digest=digest_of(body))
        if kind == "blobs" and name in server.blobs and f"/v2/{server.empty_repository}/" not in self.path:
            return self.answer(200, server.blobs[name])
        if kind == "uploads":
            server.uploads.append("GET")
            return self.answer(204, Range=f"0-{max(0, len(server.parts[name]) - 1)}", Location=self.path)
        self.answer(404)

    do_HEAD = do_GET

    def do_POST(self):
        name = os.urandom(4).hex()  # several come at the same time
        self.server.parts[name] = b""
        self.answer(202, Location=self.path + name)

    def do_PATCH(self):
        server, length, name = self.server, int(self.headers["Content-Length"]), self.path.rsplit("/", 1)[-1]
        start = int(self.headers["Content-Range"].split("-")[0])
        server.uploads.append(f"PATCH {start}")
        if start != len(server.parts[name]):
            self.rfile.read(length)
            return self.answer(416, Range=f"0-{max(0, len(server.parts[name]) - 1)}", Location=self.path)
        if server.limit and length > server.limit:
            self.close_connection = True
            return self.answer(413, Connection="close")
        if server.cut:
            server.parts[name], server.cut, self.close_connection = self.rfile.read(server.cut), None, True
            return
        server.parts[name] += self.rfile.read(length)
        self.answer(202, Location=self.path)

    def do_PUT(self):
        server, body = self.server, self.rfile.read(int(self.headers["Content-Length"]))
        if "/manifests/" in self.path:
            entry = (self.headers["Content-Type"], body)
            server.manifests[self.path.rsplit("/", 1)[-1]] = server.manifests[digest_of(body)] = entry
            return self.answer(201)
        body = server.parts[self.path.rsplit("/", 1)[-1].partition("?")[0]] + body
        wanted = urllib.parse.unquote(self.path.rpartition("digest=")[2])
        if digest_of(body) != wanted:
            return self.answer(400)
        server.blobs[wanted] = body
        self.answer(201)

    def log_message(self, format, *values):
        pass
