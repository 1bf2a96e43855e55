# SPDX-License-Identifier: BSD-3-Clause
"""A steerd with the API, in a folder of its own: no root, no hugepages, ports that are memory."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ACCOUNT = '0123456789abcdef0123456789abcdef'

CONFIGURATION = '''
run-directory = run
file-prefix = api
descriptors = 256
idle = sleep
worker-cpus = any
port = in device=net_ring0 role=ingress
port = mt device=net_null1 role=none
port = cdn device=net_null2 role=none
port = sp device=net_null3 role=none
output = magic_transit port=mt
output = cdn port=cdn
output = spectrum port=sp
'''


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__('steer', timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class LocalSteerd:
    """Runs until the end of a `with`; may be killed and started again in between."""

    def __init__(self, program, lines='', by=()):
        """lines: of configuration, besides. by: a command that runs it."""
        self.program = os.path.abspath(program)
        self.by = by
        self.folder = tempfile.mkdtemp(prefix='steer-test-')
        self.process = None
        self.url = None
        with open(f'{self.folder}/steerd.conf', 'w', encoding='utf-8') as file:
            file.write(CONFIGURATION + lines)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(f'{self.folder}/log', encoding='utf-8') as file:
            return file.read()

    def start(self):
        """Until it is ready."""
        with open(f'{self.folder}/log', 'w', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                [*self.by, self.program, '--config', f'{self.folder}/steerd.conf', '--data-directory',
                 f'{self.folder}/data', '--api-listen', '127.0.0.1:0'],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, 'RUNTIME_DIRECTORY': self.folder})
        until = time.monotonic() + 30
        while ': ready' not in self.log():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError('steerd does not start:\n' + self.log())
            time.sleep(0.005)
        self.url = 'http://127.0.0.1:' + re.search(r'listening on 127\.0\.0\.1 port (\d+)', self.log()).group(1)

    def kill(self, by=signal.SIGKILL):
        if self.process is None:
            return
        self.process.send_signal(by)
        self.process.wait(timeout=30)
        self.process = None

    def connect(self):
        """By the Unix socket, which needs no token."""
        return UnixConnection(f'{self.folder}/run/api.sock')

    def request(self, method, path, body=None):
        """The response's status and body."""
        connection = self.connect()
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text)

    def ask(self, method, path, body=None):
        """The response's body; an error where the status is none of success."""
        status, reply = self.request(method, path, body)
        if status >= 300:
            raise RuntimeError(f'{method} {path}: {status} {reply}')
        return reply

    def token(self, role, account):
        return self.ask('POST', '/steer/v1/tokens', {'role': role, 'account': account})['result']['token']
