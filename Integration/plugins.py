# SPDX-License-Identifier: Apache-2.0
"""A program on a unix socket that answers docker's plugin protocol as a test wants it."""
import http.server
import json
import socketserver
import threading

from harness import Stack


def plugged_stack(directory, images, name):
    """A daemon that looks for plugins in a directory of its own (`plugins`); busybox is loaded."""
    stack = Stack(directory, name=name)
    stack.plugins = directory / "plugins"
    stack.plugins.mkdir()
    config = directory / "daemon.json"
    config.write_text(json.dumps({"plugin-directories": [str(stack.plugins)]}))
    stack.flags = ["--config-file", config]
    stack.start()
    stack.docker("load", "-q", "-i", images / "archive" / "busybox.tar")
    return stack


class Plugin:
    """`answer(method, question)` gives the document for a call, or (status, document), or raw bytes; what was asked is
    kept."""

    def __init__(self, directory, name, implements, answer):
        self.name, self.asked, self.answer, self.activations = name, [], answer, 0
        self.path = directory / f"{name}.sock"
        plugin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                method = self.path.strip("/")
                status, answer = 200, {"Implements": implements}
                if method == "Plugin.Activate":
                    plugin.activations += 1
                else:
                    question = json.loads(body)
                    plugin.asked.append((method, question))
                    answer = plugin.answer(method, question)
                if isinstance(answer, tuple):
                    status, answer = answer
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except BrokenPipeError:
                    pass  # whoever asked has gone

            def log_message(self, *arguments):
                pass

            def address_string(self):
                return "unix"

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(str(self.path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def calls(self, method):
        """What was asked by this method."""
        return [question for name, question in list(self.asked) if name.endswith(f".{method}")]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.path.unlink(missing_ok=True)
