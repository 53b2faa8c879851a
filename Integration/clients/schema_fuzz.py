# SPDX-License-Identifier: Apache-2.0
"""Sends what a description of the Engine API allows and what it does not, and looks for answers that blame the daemon.

usage: schema_fuzz.py DESCRIPTION SOCKET EXAMPLES NAMES
  NAMES is a JSON object: for a collection (containers, images, …) the name of something that exists in it.
Prints each operation that was answered with 5xx or not at all, with the request. Other than that only the number of requests.
"""
import json
import socket
import sys
import urllib.parse
import warnings

import hypothesis
import schemathesis

# Swarm's and plugins' operations say that they are not there; the rest needs another machine or a client that talks.
TAGS_APART = {"Swarm", "Node", "Service", "Task", "Secret", "Config", "Plugin", "Session", "Distribution"}
PATHS_APART = {"/build", "/build/prune", "/auth", "/images/search", "/images/load", "/images/{name}/push"}
# docker answers so, too: drivers and modes that are not there, hosts without a name, what ps(1) does not like or find.
EXPECTED = [(501, b"not implemented"), (500, b"no such host"), (500, b"error: "), (500, b"ps: ")]
ALLOWED = "/%?&=+:;,@!$'()*-._~"


def exchange(path, method, target, headers, body):
    """Status (0: none came) and the beginning of the answer."""
    answer = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(path)
        lines = [f"{method} {target} HTTP/1.1", "Host: docker", "Connection: close", f"Content-Length: {len(body)}", *headers]
        try:
            connection.sendall("\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body)
            while b"\r\n\r\n" not in answer or answer[9:10] == b"5":
                piece = connection.recv(65536)
                if not piece:
                    break
                answer += piece
        except OSError:
            pass
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0, answer


def request(case, names, about_something):
    """Method, target, header fields and body of a generated case."""
    if about_something:
        kind = case.operation.path.split("/")[1]
        case.path_parameters = {name: names.get(kind, "nothing") for name in case.path_parameters or {}}
    target = "/v1.41" + case.formatted_path
    if case.query:
        target += "?" + urllib.parse.urlencode(case.query, doseq=True, errors="replace")
    body = case.body
    if not isinstance(body, bytes):
        is_absent = type(body).__name__ == "NotSet"
        body = b"" if is_absent else json.dumps(body, default=str).encode("utf-8", "replace")
    headers = ["Content-Type: " + (case.media_type or "application/json")]
    for name, value in dict(case.headers or {}).items():
        if name.lower() not in ("content-type", "content-length") and f"{name}{value}".isprintable():
            headers.append(f"{name}: {value}")
    return case.method.upper(), urllib.parse.quote(target, safe=ALLOWED), headers, body


def main(description, path, examples, names):
    warnings.simplefilter("ignore")
    findings, count = {}, 0
    settings = hypothesis.settings(
        max_examples=examples, database=None, deadline=None, derandomize=True, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck))

    def send(case):
        nonlocal count
        count += 1
        sent = request(case, names, count % 2)
        status, answer = exchange(path, *sent)
        is_expected = any(status == known and text in answer for known, text in EXPECTED)
        if (status == 0 or status >= 500) and not is_expected:
            findings.setdefault((case.operation.label, status), (sent, answer))

    for result in schemathesis.openapi.from_path(description).get_all_operations():
        operation = result.ok()
        if TAGS_APART.intersection(operation.tags or []) or operation.path in PATHS_APART:
            continue
        for mode in schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE:
            try:
                settings(hypothesis.given(operation.as_strategy(generation_mode=mode))(send))()
            except hypothesis.errors.Unsatisfiable:
                pass  # nothing about this operation can be wrong
    for (label, status), (sent, answer) in findings.items():
        print(label, status, sent[1][:500], sent[3][:500], answer.rpartition(b"\r\n\r\n")[2][:500], sep="\n    ")
    print(count, "requests")
    sys.exit(bool(findings))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4]))
