# SPDX-License-Identifier: Apache-2.0
"""A client for the REST interface of a server under test."""
import http.client
import json
import re
import ssl
import time

import rig

JSON = "application/json"
START = "/pipelines/user_defined_pipelines/"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = dict(response.getheaders())
        self.type = response.getheader("Content-Type", "")
        self.body = response.read().decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body}"


class Client:
    """Talks to the server whose log has the line "REST on"."""

    def __init__(self, server, token=None, context=None):
        server.wait_for("REST on")
        line = next(line for line in server.lines if "REST on" in line)
        _, scheme, self.address, port = re.search(
            r"(REST on (https?)://(.*):(\d+))", line).groups()
        self.secure = scheme == "https"
        self.port = int(port)
        if self.address == "0.0.0.0":
            self.address = "127.0.0.1"
        self.token = token
        self.context = context

    def connect(self):
        if self.secure:
            return http.client.HTTPSConnection(
                self.address, self.port, timeout=rig.LIMIT_S,
                context=self.context or ssl._create_unverified_context())
        return http.client.HTTPConnection(
            self.address, self.port, timeout=rig.LIMIT_S)

    def ask(self, method, path, body=None, **headers):
        """Sends one request. @body: bytes, an iterator of them, or what
        becomes JSON."""
        headers = {name.replace("_", "-"): value
                   for name, value in headers.items() if value is not None}
        if isinstance(body, (dict, list, str)):
            body = json.dumps(body).encode()
        if method == "POST":
            headers.setdefault("Content-Type", JSON)
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def start(self, name, request=None):
        """Starts an instance, which must succeed. Returns its id."""
        answer = self.ask("POST", START + name, request or {})
        assert answer.status == 200, answer
        # As scripts take it: the quotes are part of the answer.
        assert re.fullmatch(r'"[0-9a-f]{32}"\n', answer.body), answer
        return answer.body[1:33]

    def status(self, instance):
        answer = self.get(f"/pipelines/{instance}/status")
        assert answer.status == 200, answer
        return answer.json()

    def wait_for_state(self, instance, *states, limit=rig.LIMIT_S):
        end = time.monotonic() + limit
        while True:
            status = self.status(instance)
            if status["state"] in states:
                return status
            assert time.monotonic() < end, status
            time.sleep(0.02)
