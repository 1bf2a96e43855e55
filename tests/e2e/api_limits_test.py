#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""api_limits_test.py STEERD: what a reload does to the guard, and clients that do not take their replies."""

import re
import signal
import socket
import sys
import time

from local_steerd import ACCOUNT, LocalSteerd

BINDINGS = 100_000


def equal(found, wanted, what=''):
    if found != wanted:
        raise AssertionError(f'{what}: {found!r} instead of {wanted!r}')


def until(what, condition):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('in vain: ' + what)
        time.sleep(0.02)


def make(steerd, cidr, hosts):
    items = [{'op': 'add_prefix', 'cidr': cidr, 'account': ACCOUNT, 'service': 'magic_transit'}]
    items += [{'op': 'create', 'cidr': f'{host}/32', 'service': 'cdn'} for host in hosts]
    status, reply = steerd.request('POST', '/steer/v1/changes', {'changes': items})
    equal(status, 200, reply)


def the_guard_follows_a_reload(steerd):
    with LocalSteerd(steerd, 'guard-share = 100\nguard-bindings = 5\n') as running:
        make(running, '203.0.113.0/24', [f'203.0.113.{i}' for i in range(1, 41)])
        six = {'changes': [{'op': 'delete', 'cidr': f'203.0.113.{i}/32'} for i in range(1, 7)]}
        changes = '/steer/v1/changes?dry_run=true'
        guard = running.request('POST', changes, six)[1]['result']['guard']
        equal(guard['refuses'], True)
        if '5' not in guard['reason']:
            raise AssertionError(guard)
        path = f'{running.folder}/steerd.conf'
        with open(path, encoding='utf-8') as file:
            text = file.read()

        def reload_with(bindings):
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace('guard-bindings = 5', f'guard-bindings = {bindings}'))
            running.process.send_signal(signal.SIGHUP)

        reload_with(6)
        until('the guard takes six', lambda: not running.request('POST', changes, six)[1]['result']['guard']['refuses'])
        equal(running.request('POST', '/steer/v1/changes', six)[0], 200)
        # What is wrong leaves what was.
        reload_with(0)
        until('the reload is refused', lambda: 'reload refused' in running.log())
        more = {'changes': [{'op': 'delete', 'cidr': f'203.0.113.{i}/32'} for i in range(11, 18)]}
        equal(running.request('POST', '/steer/v1/changes', more)[0], 403)


def whoever_takes_no_replies_holds_up_nobody(steerd):
    """Each listing is over 10 MB; of one token at most 128 MiB wait for their clients."""
    with LocalSteerd(steerd, f'bindings-max = {2 * BINDINGS}\n') as running:
        make(running, '10.0.0.0/8', [f'10.{i >> 16}.{i >> 8 & 255}.{i & 255}' for i in range(BINDINGS)])
        token = running.token('read', ACCOUNT)
        prefix = running.request('GET', f'/accounts/{ACCOUNT}/addressing/prefixes')[1]['result'][0]['id']
        port = int(running.url.rsplit(':', 1)[1])
        listing = (f'GET /accounts/{ACCOUNT}/addressing/prefixes/{prefix}/bindings HTTP/1.1\r\nHost: steer\r\n'
                   f'Authorization: Bearer {token}\r\n\r\n').encode()

        def begin():
            """Asks for all, and takes the head of the reply alone."""
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(30)
            client.connect(('127.0.0.1', port))
            client.sendall(listing)
            head = b''
            while b'\r\n\r\n' not in head:
                head += client.recv(1)
            return client, int(head.split()[1]), head.decode('latin-1').lower()

        clients = [begin() for _ in range(24)]
        statuses = [status for _, status, _ in clients]
        length = int(re.search(r'content-length: (\d+)', clients[0][2]).group(1))
        wait = statuses.count(200)
        print(f'{wait} listings of {length} bytes wait, {statuses.count(503)} were refused')
        equal(set(statuses), {200, 503})
        if not 1 < wait <= (128 << 20) / length + 1:
            raise AssertionError(f'{wait} of {length} bytes wait')
        for _, status, head in clients:
            if status == 503 and 'retry-after: ' not in head:
                raise AssertionError(head)
        began = time.monotonic()
        equal(running.request('GET', '/steer/v1/status')[0], 200)
        equal(running.request('POST', '/steer/v1/changes', {'changes': [
            {'op': 'create', 'cidr': '10.255.255.255/32', 'service': 'spectrum'}]})[0], 200)
        print(f'a look and a change meanwhile took {(time.monotonic() - began) * 1000:.0f} ms')
        for client, _, _ in clients:
            client.close()

        def is_served():
            client, status, _ = begin()
            client.close()
            return status == 200

        until('listings are served again', is_served)


def main():
    the_guard_follows_a_reload(sys.argv[1])
    whoever_takes_no_replies_holds_up_nobody(sys.argv[1])
    print('ok')
    return 0


if __name__ == '__main__':
    sys.exit(main())
