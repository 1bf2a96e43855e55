#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""steerctl_test.py STEERD STEERCTL: the operator's tool against a running steerd, by each way to reach it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from local_steerd import ACCOUNT, LocalSteerd


class Steerctl:
    """Runs it, with an environment that has nothing of ours but what is given."""

    def __init__(self, program, **variables):
        self.program = os.path.abspath(program)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(('STEER_', 'CLOUDFLARE_'))} | variables

    def run(self, *words, given=None):
        return subprocess.run([self.program, *words], env=self.environment, input=given, text=True,
                              stdin=subprocess.DEVNULL if given is None else None,
                              capture_output=True, timeout=60, check=False)

    def expect(self, status, *words, given=None):
        done = self.run(*words, given=given)
        if done.returncode != status:
            raise AssertionError(f'{words}: status {done.returncode} instead of {status}\n{done.stdout}{done.stderr}')
        return done

    def out(self, *words, given=None):
        return self.expect(0, *words, given=given).stdout

    def json(self, *words, given=None):
        return json.loads(self.out(*words, '--json', given=given))


def equal(found, wanted, what=''):
    if found != wanted:
        raise AssertionError(f'{what}: {found!r} instead of {wanted!r}')


def has(text, part):
    if part not in text:
        raise AssertionError(f'{part!r} is not in:\n{text}')


def tokens_and_ways(steerd, program):
    """The socket makes tokens; they work by TCP, as long as they are not revoked."""
    socket = Steerctl(program, STEER_API=f'unix:{steerd.folder}/run/api.sock', STEER_TOKEN='not sent there')
    secret = socket.out('token', 'create', '--role', 'write', '--name', 'ops', '--account', ACCOUNT).strip()
    if not re.fullmatch(r'steer_[0-9a-f]{64}', secret):
        raise AssertionError(f'no secret: {secret}')
    reader = socket.out('token', 'create', '--role', 'read').strip()
    listed = socket.json('token', 'list')
    equal([(one['name'], one['role'], one['account']) for one in listed],
          [('ops', 'write', ACCOUNT), ('token-2', 'read', None)])
    if secret in json.dumps(listed):
        raise AssertionError('the list has a secret')

    # The variables that script/demo --live prints.
    other = Steerctl(program, CLOUDFLARE_BASE_URL=steerd.url + '/client/v4', CLOUDFLARE_API_TOKEN=secret,
                     CLOUDFLARE_ACCOUNT_ID=ACCOUNT)
    equal([one['name'] for one in other.json('services')], ['Magic Transit', 'CDN', 'Spectrum'])
    has(other.out('services'), 'NAME')
    ours = Steerctl(program, STEER_API=steerd.url, STEER_TOKEN=reader)
    equal(ours.json('status')['bindings'], 0)
    refused = other.expect(1, 'token', 'list').stderr
    has(refused, 'Unix socket alone')
    has(refused, '--api unix:PATH')
    has(other.expect(1, 'history').stderr, 'this token is of one')

    socket.out('token', 'revoke', '2')
    has(ours.expect(1, 'status').stderr, 'STEER_TOKEN')
    equal(ours.expect(1, 'status', '--json').stdout, '')
    has(Steerctl(program, STEER_API=steerd.url).expect(1, 'status').stderr, 'refused (401)')
    has(socket.expect(1, 'token', 'revoke', '9').stderr, 'there is no token')
    what = [one['what'] for one in socket.json('history')]
    equal(len(what), 3, 'the history has the tokens')
    has(socket.out('history'), '    ')
    return other


def tells_when_nobody_answers(steerd, program):
    steerd.kill(signal.SIGTERM)
    gone = Steerctl(program, STEER_API=steerd.url)
    has(gone.expect(3, 'status').stderr, 'cannot connect to ' + steerd.url)
    equal(Steerctl(program, STEER_API='nowhere').expect(2, 'status').stdout, '')


def speaks_tls(steerd, program):
    """By a name that the certificate has, signed by whom --ca names, and not otherwise."""
    with tempfile.TemporaryDirectory(prefix='steer-test-') as folder:
        certificate, key = f'{folder}/certificate.pem', f'{folder}/key.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=steer', '-days', '1',
                        '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
                       check=True, capture_output=True)
        with LocalSteerd(steerd, f'api-certificate = {certificate}\napi-key = {key}\n') as running:
            token = running.token('read', ACCOUNT)
            port = running.url.rsplit(':', 1)[1]
            tool = Steerctl(program, STEER_TOKEN=token)
            named = ('--api', f'https://localhost:{port}')
            equal(tool.json('status', *named, '--ca', certificate)['prefixes'], 0)
            has(tool.expect(3, 'status', *named).stderr, 'certificate is not accepted')
            has(tool.expect(3, 'status', '--api', f'https://127.0.0.1:{port}', '--ca', certificate).stderr,
                'certificate is not accepted')
            tool.expect(3, 'status', '--api', running.url, '--timeout', '5')


def is_small(program):
    """It links nothing of the data plane; and says how long a start takes, which nothing is asserted of."""
    libraries = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
    if re.search('rte_|dpdk|pcap|bpf|sqlite', libraries):
        raise AssertionError('it links more than a client needs:\n' + libraries)
    tool = Steerctl(program)
    times = []
    for _ in range(20):
        began = time.monotonic()
        tool.out('--version')
        times.append(time.monotonic() - began)
    print(f'a start takes {sorted(times)[10] * 1000:.1f} ms')
    page = pathlib.Path(__file__).resolve().parents[2] / 'control/apps/steerctl.1'
    text = page.read_text(encoding='utf-8').replace('\\-', '-')
    for name in re.findall(r'^  ([a-z]+(?: [a-z]+)?)  +\S', tool.out('--help'), re.MULTILINE):
        has(text, name)
        for option in re.findall(r'--[a-z-]+', tool.out(*name.split(), '--help').split('\nOptions')[1]):
            has(text, option)


def main():
    steerd, program = sys.argv[1:3]
    is_small(program)
    with LocalSteerd(steerd) as running:
        tokens_and_ways(running, program)
        tells_when_nobody_answers(running, program)
    speaks_tls(steerd, program)
    print('ok')
    return 0


if __name__ == '__main__':
    sys.exit(main())
