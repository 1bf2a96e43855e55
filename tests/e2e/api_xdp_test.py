#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""api_xdp_test.py STEERD: a prefix that the map of the XDP programs has no room for is refused before it is durable;
what was acknowledged is there after a kill and a restart. Needs root: a network namespace and XDP. Skipped (77) without."""

import os
import subprocess
import sys

from local_steerd import ACCOUNT, LocalSteerd

PREFIXES = f'/client/v4/accounts/{ACCOUNT}/addressing/prefixes'


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def create(steerd, number):
    """Of a prefix: the status, and why not."""
    connection = steerd.connect()
    connection.request('POST', PREFIXES, f'{{"cidr": "2001:db8:{number:x}::/48", "asn": 64500}}')
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def cidrs(steerd):
    """Of all prefixes: the ids."""
    found = steerd.ask('GET', f'{PREFIXES}?per_page=100')['result']
    return {prefix['cidr']: prefix['id'] for prefix in found}


def scenario(steerd):
    """Returns what was acknowledged."""
    acknowledged = []
    for number in range(1, 20):
        status, text = create(steerd, number)
        if status >= 300:
            break
        acknowledged.append(f'2001:db8:{number:x}::/48')
    # Of 16 entries local scope has 2, and the host its address on `wan`, 127.0.0.1 and ::1.
    assert len(acknowledged) == 11, (len(acknowledged), text)
    assert status == 503, text
    for part in ('port wan', 'room for 16 prefixes', '17 would be needed: 12 prefixes', 'raise xdp-entries-max'):
        assert part in text, text
    generation = steerd.ask('GET', '/steer/v1/status')['result']['generation']
    found = cidrs(steerd)
    assert sorted(found) == sorted(acknowledged), found
    assert create(steerd, 13)[0] == 503
    assert steerd.ask('GET', '/steer/v1/status')['result']['generation'] == generation
    # Room that becomes free is there for others.
    first = acknowledged.pop(0)
    steerd.ask('DELETE', f'{PREFIXES}/{found[first]}')
    status, text = create(steerd, 13)
    assert status < 300, text
    return [*acknowledged, '2001:db8:d::/48']


def main():
    if os.geteuid() != 0:
        print('skipped: needs root')
        sys.exit(77)
    edge = f'steer-test-{os.getpid()}'
    run('ip', 'netns', 'add', edge)
    try:
        run('ip', '-n', edge, 'link', 'set', 'lo', 'up')
        run('ip', '-n', edge, 'link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'client')
        run('ip', '-n', edge, 'link', 'set', 'client', 'up')
        run('ip', '-n', edge, 'link', 'set', 'wan', 'up')
        run('ip', '-n', edge, 'addr', 'add', '192.0.2.2/24', 'dev', 'wan')
        lines = 'port = wan interface=wan role=ingress\nxdp-entries-max = 16\n'
        with LocalSteerd(sys.argv[1], lines, ('ip', 'netns', 'exec', edge)) as steerd:
            acknowledged = scenario(steerd)
            steerd.kill()
            steerd.start()
            assert sorted(cidrs(steerd)) == sorted(acknowledged)
            log = steerd.log()
            assert 'stays with the kernel' not in log, log
    finally:
        run('ip', 'netns', 'del', edge)
    print('ok')


if __name__ == '__main__':
    main()
