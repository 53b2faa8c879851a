# SPDX-License-Identifier: Apache-2.0
"""A message bus with one service on it: a manager that answers as systemd's does, and remembers what it was asked
(D-Bus specification; org.freedesktop.systemd1(5)). Only what it is sent is checked for form, strictly."""
import os
import pathlib
import socket
import struct
import threading

CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4
ALIGNMENT = {"y": 1, "b": 4, "i": 4, "u": 4, "x": 8, "t": 8, "s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "v": 1}
FORMATS = {"y": "B", "i": "i", "u": "I", "x": "q", "t": "Q"}


def one_type(signature):
    """The first complete type of a signature, and the rest."""
    if signature[0] == "a":
        inner, rest = one_type(signature[1:])
        return "a" + inner, rest
    if signature[0] == "(":
        depth = 0
        for index, letter in enumerate(signature):
            depth += {"(": 1, ")": -1}.get(letter, 0)
            if depth == 0:
                return signature[:index + 1], signature[index + 1:]
    return signature[0], signature[1:]


class Reader:
    def __init__(self, data):
        self.data, self.offset = data, 0

    def align(self, size):
        while self.offset % size:
            assert self.data[self.offset] == 0, "padding is zero"
            self.offset += 1

    def number(self, letter):
        self.align(ALIGNMENT[letter])
        size = struct.calcsize(FORMATS[letter])
        self.offset += size
        return struct.unpack("<" + FORMATS[letter], self.data[self.offset - size:self.offset])[0]

    def text(self, length):
        value = self.data[self.offset:self.offset + length].decode()
        self.offset += length + 1
        assert len(value.encode()) == length and self.data[self.offset - 1] == 0, "a text ends with NUL"
        return value

    def value(self, kind):
        if kind in FORMATS:
            return self.number(kind)
        if kind == "b":
            return {0: False, 1: True}[self.number("u")]
        if kind in ("s", "o"):
            return self.text(self.number("u"))
        if kind == "g":
            return self.text(self.number("y"))
        if kind == "v":
            return self.value(self.value("g"))
        if kind[0] == "a":
            length = self.number("u")
            self.align(ALIGNMENT[kind[1]])
            end, found = self.offset + length, []
            while self.offset < end:
                found.append(self.value(kind[1:]))
            assert self.offset == end, "an array ends with an element"
            return found
        self.align(8)
        return self.all(kind[1:-1])

    def all(self, signature):
        found = []
        while signature:
            kind, signature = one_type(signature)
            found.append(self.value(kind))
        return found


class Writer:
    def __init__(self):
        self.data = b""

    def align(self, size):
        self.data += bytes(-len(self.data) % size)
        return self

    def value(self, kind, value):
        if kind in ("u", "y"):
            self.align(ALIGNMENT[kind]).data += struct.pack("<" + FORMATS[kind], value)
        elif kind in ("s", "o"):
            self.value("u", len(value.encode())).data += value.encode() + b"\0"
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        return self


def message(kind, serial, signature="", values=(), **fields):
    body = Writer()
    for letter, value in zip(signature, values):
        body.value(letter, value)
    codes = {"path": (1, "o"), "interface": (2, "s"), "member": (3, "s"), "error": (4, "s"), "reply": (5, "u"), "signature": (8, "g")}
    head = Writer()
    for name, value in {**fields, **({"signature": signature} if signature else {})}.items():
        code, letter = codes[name]
        head.align(8).value("y", code).value("g", letter).value(letter, value)
    start = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body.data), serial, len(head.data))
    return Writer.align(head, 8) and start + head.data + body.data


class FakeSystemd:
    """`units` has the properties of each unit, `calls` the methods that were called, in order."""

    def __init__(self, path, hierarchy):
        self.address, self.hierarchy = f"unix:path={path}", pathlib.Path(hierarchy)
        self.units, self.calls, self.result, self.existing, self.serial = {}, [], "done", set(), 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                self.talk(connection, stream)

    def talk(self, connection, stream):
        assert stream.read(1) == b"\0"
        assert stream.readline() == b"AUTH EXTERNAL\r\n"
        connection.sendall(b"DATA\r\n")
        assert stream.readline() == b"DATA\r\n"
        connection.sendall(b"OK 0123456789abcdef\r\n")
        assert stream.readline() == b"BEGIN\r\n"
        while header := stream.read(16):
            _, kind, _, version, body, serial, fields = struct.unpack("<cBBBIII", header)
            assert (kind, version) == (CALL, 1)
            reader = Reader(header + stream.read(fields + -fields % 8))
            reader.offset = 12
            members = {code: value for code, value in reader.value("a(yv)")}
            arguments = Reader(stream.read(body)).all(members.get(8, ""))
            connection.sendall(self.answer(serial, members[3], arguments))

    def answer(self, serial, method, arguments):
        self.calls.append(method)
        self.serial += 10
        reply = lambda *values: message(REPLY, self.serial, *values, reply=serial)  # noqa: E731
        job = f"/org/freedesktop/systemd1/job/{self.serial}"
        removed = lambda unit, result, job=job: message(  # noqa: E731
            SIGNAL, self.serial + 1, "uoss", (7, job, unit, result), path="/org/freedesktop/systemd1",
            interface="org.freedesktop.systemd1.Manager", member="JobRemoved")
        failure = lambda error, text: message(ERROR, self.serial, "s", (text,), reply=serial, error="org.freedesktop.systemd1." + error)  # noqa: E731
        if method == "Hello":
            self.is_subscribed = False
            return reply("s", (":1.1",))
        if method == "Subscribe" and self.is_subscribed:
            return failure("AlreadySubscribed", "Client is already subscribed.")
        self.is_subscribed |= method == "Subscribe"
        if method == "StartTransientUnit":
            name, mode, properties, auxiliary = arguments
            assert (mode, auxiliary) == ("replace", [])
            if name in self.existing:
                return failure("UnitExists", "there is one")
            self.units[name] = dict(properties)
            # The signal comes first, as it may.
            return removed("other.scope", "failed", job + "1") + removed(name, self.result) + reply("o", (job,))
        if method == "StopUnit":
            return reply("o", (job,)) + removed(arguments[0], "done")
        if method == "SetUnitProperties":
            self.units[arguments[0]].update(arguments[2])
        if method == "ResetFailedUnit":
            self.existing.discard(arguments[0])
        return reply()
