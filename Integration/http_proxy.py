# SPDX-License-Identifier: Apache-2.0
"""A proxy as companies have them: tunnels by CONNECT, and a password if one is set."""
import base64
import socket
import socketserver
import threading

from serving import Serving


class Proxy(Serving, socketserver.ThreadingTCPServer):
    def __init__(self, password=None, upstream=None):
        """With `upstream`, a host and a port, all tunnels lead there."""
        super().__init__(ProxyHandler)
        self.upstream = upstream
        self.password = password
        self.asked = []  # method and target of each request


class ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        method, target, _ = self.rfile.readline().decode().split(" ", 2)
        fields = []
        while (line := self.rfile.readline().strip()):
            fields.append(tuple(line.decode().split(": ", 1)))
        self.server.asked.append((method, target))
        headers = {name.lower(): value for name, value in fields}
        if self.server.password:
            wanted = "Basic " + base64.b64encode(self.server.password.encode()).decode()
            if headers.get("proxy-authorization") != wanted:
                self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
        if method != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = target.rpartition(":")
        upstream = socket.create_connection(self.server.upstream or (host, int(port)))
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there = threading.Thread(target=self.pump, args=(self.rfile.read1, upstream.sendall, upstream), daemon=True)
        there.start()
        self.pump(lambda count: upstream.recv(count), self.connection.sendall, self.connection)
        upstream.close()

    @staticmethod
    def pump(read, write, target):
        try:
            while data := read(65536):
                write(data)
            target.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):  # the other direction has closed it
            pass
