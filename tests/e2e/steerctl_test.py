#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""steerctl_test.py STEERD STEERCTL: the operator's tool against a running steerd, by each way to reach it."""

import json
import os
import pathlib
import re
import signal
import socket
import struct
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
    local = Steerctl(program, STEER_API=f'unix:{steerd.folder}/run/api.sock', STEER_TOKEN='not sent there')
    secret = local.out('token', 'create', '--role', 'write', '--name', 'ops', '--account', ACCOUNT).strip()
    if not re.fullmatch(r'steer_[0-9a-f]{64}', secret):
        raise AssertionError(f'no secret: {secret}')
    reader = local.out('token', 'create', '--role', 'read').strip()
    listed = local.json('token', 'list')
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

    local.out('token', 'revoke', '2')
    has(ours.expect(1, 'status').stderr, 'STEER_TOKEN')
    equal(ours.expect(1, 'status', '--json').stdout, '')
    has(Steerctl(program, STEER_API=steerd.url).expect(1, 'status').stderr, 'refused (401)')
    has(local.expect(1, 'token', 'revoke', '9').stderr, 'there is no token')
    what = [one['what'] for one in local.json('history')]
    equal(len(what), 3, 'the history has the tokens')
    has(local.out('history'), '    ')
    return other


def capture(*destinations):
    """A file of 60-byte UDP packets, one to each address."""
    records = b''
    for destination in destinations:
        header = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 46, 0, 0, 64, 17, 0, socket.inet_aton('8.8.8.8'),
                             socket.inet_aton(destination))
        frame = bytes(12) + b'\x08\x00' + header + struct.pack('!HHHH', 1024, 53, 26, 0) + bytes(18)
        records += struct.pack('<IIII', 0, 0, len(frame), len(frame)) + frame
    return struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + records


def changes_and_takes_back(steerd, program):
    """What an operator does in a day; what comes of it is read back each time."""
    tool = Steerctl(program, STEER_API=f'unix:{steerd.folder}/run/api.sock')
    account = ('--account', ACCOUNT)
    has(tool.out('prefixes', 'add', '203.0.113.0/24', *account), '+ prefix 203.0.113.0/24\n')
    has(tool.out('prefixes', 'list'), '(pending)')
    has(tool.out('bindings', 'add', '203.0.113.0/24', 'magic_transit', '--wait'),
        '+ 203.0.113.0/24 in 203.0.113.0/24: magic_transit')
    done = tool.json('bindings', 'add', *(f'203.0.113.{i}/32' for i in range(1, 31)), 'cdn', '--wait')
    equal((done['state'], done['counts']['bindings_created']), ('active', 30))
    start = done['generation']

    has(tool.out('bindings', 'move', '203.0.113.1/32', 'spectrum', '--wait'), '203.0.113.1/32 in 203.0.113.0/24: cdn -> spectrum')
    has(tool.expect(1, 'bindings', 'add', '203.0.113.1/32', 'cdn').stderr, 'binding already exists for CIDR 203.0.113.1/32')
    has(tool.expect(1, 'bindings', 'add', '203.0.113.99/32', 'magic_transit').stderr, 'at /changes/0')
    has(tool.expect(1, 'bindings', 'add', '203.0.113.99/32', 'cdn', '--if-match', str(start)).stderr, 'look again')

    found = tool.json('bindings', 'list', '--service', 'spectrum')
    equal([(one['cidr'], one['state']) for one in found['bindings']], [('203.0.113.1/32', 'active')])
    equal(len(tool.out('bindings', 'list').splitlines()), 32, 'a title and all bindings')
    equal(len(tool.json('bindings', 'list', '--limit', '7')['bindings']), 7)
    equal([one['cidr'] for one in tool.json('bindings', 'list', '--address', '203.0.113.2')['bindings']],
          ['203.0.113.0/24', '203.0.113.2/32'])
    equal(tool.json('explain', '203.0.113.1')['service'], 'spectrum')
    has(tool.out('explain', '203.0.113.200', '--protocol', 'tcp', '--port', '443'),
        'the longest match is the binding of 203.0.113.0/24 (magic_transit)')
    has(tool.out('explain', '203.0.113.1', '--direction', 'egress'), 'magic_transit_egress_inside')
    has(tool.expect(1, 'explain', '203.0.113.300').stderr, '203.0.113.300')

    # An accident: shown, refused, and only then meant.
    wrong = ('bindings', 'delete', '--service', 'cdn')
    has(tool.out(*wrong, '--dry-run'), 'the guard would refuse this')
    has(tool.expect(1, *wrong).stderr, '--allow-mass-change')
    has(tool.expect(1, *wrong, '--allow-mass-change').stderr, '--yes')
    equal(tool.json('status')['bindings'], 31)
    equal(tool.json(*wrong, '--allow-mass-change', '--yes', '--wait')['counts']['bindings_deleted'], 29)
    equal(tool.json('status')['bindings'], 2)

    has(tool.expect(1, 'rollback', '4711', '--yes').stderr, '4711')
    has(tool.out('rollback', str(start), '--dry-run'), 'a dry run: nothing was changed')
    equal(tool.json('status')['bindings'], 2)
    back = tool.json('rollback', str(start), '--yes', '--allow-mass-change', '--wait')
    equal((back['counts']['bindings_created'], back['counts']['bindings_changed']), (29, 1))
    equal(tool.json('explain', '203.0.113.1')['service'], 'cdn')
    history = tool.json('history', '--limit', '2')
    has(history[0]['what'], f'rollback to {start}')

    exported = json.loads(tool.out('export'))
    equal([(one['cidr'], one['service'], one['account'], len(one['bindings'])) for one in exported['prefixes']],
          [('203.0.113.0/24', 'magic_transit', ACCOUNT, 30)])
    tool.out('export', '--output', f'{steerd.folder}/state.json')
    with open(f'{steerd.folder}/state.json', encoding='utf-8') as file:
        equal(json.load(file), exported)
    # By a file: what it would come to, an edit of two things, and the same again.
    has(tool.out('apply', f'{steerd.folder}/state.json'), 'nothing changes')
    edited = json.loads(json.dumps(exported))
    edited['prefixes'][0]['bindings'] = [one for one in edited['prefixes'][0]['bindings']
                                         if one['cidr'] != '203.0.113.30/32']
    edited['prefixes'][0]['bindings'][0]['service'] = 'spectrum'
    has(tool.out('apply', '-', '--dry-run', given=json.dumps(edited)), '~ 203.0.113.1/32 in 203.0.113.0/24: cdn -> spectrum')
    equal(tool.json('explain', '203.0.113.1')['service'], 'cdn')
    done = tool.json('apply', '-', '--wait', '--allow-mass-change', '--yes', given=json.dumps(edited))
    equal((done['counts']['bindings_changed'], done['counts']['bindings_deleted'], done['state']), (1, 1, 'active'))
    equal(tool.json('explain', '203.0.113.1')['service'], 'spectrum')
    edited['prefixes'][0]['bindings'][0]['service'] = 'warp'
    has(tool.expect(1, 'apply', '-', given=json.dumps(edited)).stderr, 'at /prefixes/0/bindings/0/service')
    empty = tool.expect(1, 'apply', '-', '--yes', given='{"prefixes": []}').stderr
    has(empty, '--allow-mass-change')
    tool.out('apply', f'{steerd.folder}/state.json', '--yes', '--allow-mass-change')
    equal(json.loads(tool.out('export'))['prefixes'], exported['prefixes'])
    equal(tool.json('prefixes', 'delete', '203.0.113.0/24', '--cascade', '--yes', '--allow-mass-change',
                    '--wait')['counts']['bindings_deleted'], 31)
    equal(tool.json('prefixes', 'list'), [])


def tells_of_traffic(steerd, program):
    """Packets of a capture, which a start reads once: each is counted by its binding and its outcome."""
    with tempfile.TemporaryDirectory(prefix='steer-test-') as folder:
        path = f'{folder}/feed.pcap'
        with open(path, 'wb') as file:
            file.write(capture(*['203.0.113.1'] * 10, *['203.0.113.2'] * 4, '203.0.113.3', '192.0.2.1'))
        with LocalSteerd(steerd, f'port = feed device=net_pcap0,rx_pcap={path} role=ingress\n') as running:
            tool = Steerctl(program, STEER_API=f'unix:{running.folder}/run/api.sock')
            tool.out('prefixes', 'add', '203.0.113.0/24', '--service', 'magic_transit', '--account', ACCOUNT)
            tool.out('bindings', 'add', '203.0.113.1/32', 'cdn')
            tool.out('bindings', 'add', '203.0.113.2/32', 'spectrum', '--wait')
            running.kill(signal.SIGTERM)
            running.start()
            until = time.monotonic() + 20
            while tool.json('stats')['received']['packets'] < 16 and time.monotonic() < until:
                time.sleep(0.05)
            stats = tool.json('stats')
            equal({name: one['packets'] for name, one in stats['outcomes'].items() if one['packets']},
                  {'magic_transit_bound': 1, 'cdn_bound': 10, 'spectrum_bound': 4, 'drop_unmatched': 1})
            equal([one['sent_packets'] for one in stats['services']], [1, 10, 4])
            equal([one['received_packets'] for one in stats['ports'] if one['name'] == 'feed'], [16])
            has(tool.out('stats'), 'drop_unmatched')
            listed = tool.json('bindings', 'list', '--order', 'packets')['bindings']
            equal([(one['cidr'], one['packets'], one['bytes']) for one in listed],
                  [('203.0.113.1/32', 10, 600), ('203.0.113.2/32', 4, 240), ('203.0.113.0/24', 1, 60)])
            if not all(one['last_seen'] for one in listed):
                raise AssertionError(f'not seen: {listed}')
            has(tool.out('top', '--count', '1'), '203.0.113.1/32')
            reader = running.token('read', ACCOUNT)
            other = Steerctl(program, STEER_API=running.url, STEER_TOKEN=reader)
            has(other.expect(1, 'stats').stderr, 'this token is of one')
            has(other.out('top', '--count', '1'), '203.0.113.1/32')


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
        changes_and_takes_back(running, program)
        tells_when_nobody_answers(running, program)
    tells_of_traffic(steerd, program)
    speaks_tls(steerd, program)
    print('ok')
    return 0


if __name__ == '__main__':
    sys.exit(main())
