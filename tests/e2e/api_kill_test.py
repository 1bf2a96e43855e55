#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""api_kill_test.py STEERD [MOMENTS [SEED]]: kill -9 at random moments of a stream of changes.

Four clients create, delete and ask for what must be refused, each on addresses of its own, and note every
reply. After each kill and restart: every acknowledged change is there, none that was refused is; what was
under way without a reply may be either, as a whole; and the table of the workers equals the store.
"""

import http.client
import json
import random
import socket
import sys
import threading
import time

from local_steerd import ACCOUNT, LocalSteerd

PREFIXES = f'/accounts/{ACCOUNT}/addressing/prefixes'
CLIENTS = 4
ADDRESSES = 16  # of each client
MODES = ('CDN', 'Spectrum')


class Telemetry:
    """DPDK's socket: what the workers' table holds."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.bytes = json.loads(self.socket.recv(4096))['max_output_len']

    def ask(self, command):
        self.socket.send(command.encode())
        return json.loads(self.socket.recv(self.bytes))[command.split(',')[0]]

    def close(self):
        self.socket.close()


class Client(threading.Thread):
    """Asks until the connection is lost."""

    def __init__(self, number, connection, prefix, services, known, seed):
        super().__init__()
        self.connection = connection
        self.path = f'{PREFIXES}/{prefix}/bindings'
        self.services = services
        self.known = dict(known)  # CIDR -> (id, service), as acknowledged
        self.under_way = None     # (CIDR, service or None) whose reply has not come
        self.random = random.Random(seed)
        self.cidrs = [f'203.0.113.{number * ADDRESSES + n + 1}/32' for n in range(ADDRESSES)]
        self.acknowledged = self.refused = 0
        self.wrong = None

    def ask(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body),
                                {'X-Steer-Allow': 'mass-change'})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def step(self):
        cidr = self.random.choice(self.cidrs)
        what = self.random.random()
        if what < 0.1:  # never allowed
            body = {'cidr': cidr, 'service_id': self.services['Magic Transit']}
            status, _ = self.ask('POST', self.path, body)
            expected = (409,) if cidr in self.known else (400,)
            self.refused += 1
        elif cidr in self.known and what < 0.9:
            self.under_way = (cidr, None)
            status, _ = self.ask('DELETE', f'{self.path}/{self.known[cidr][0]}')
            expected = (200,)
            del self.known[cidr]
            self.acknowledged += 1
        else:
            service = self.random.choice(MODES)
            is_new = cidr not in self.known
            self.under_way = (cidr, service) if is_new else None
            status, reply = self.ask('POST', self.path, {'cidr': cidr, 'service_id': self.services[service]})
            expected = (201,) if is_new else (409,)
            if status == 201:
                self.known[cidr] = (reply['result']['id'], service)
                self.acknowledged += 1
            else:
                self.refused += 1
        if status not in expected:
            self.wrong = f'{cidr}: status {status} instead of {expected}'
        self.under_way = None

    def run(self):
        try:
            while self.wrong is None:
                self.step()
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            self.connection.close()


def check(steerd, prefix, clients):
    """What is wrong, and what is there."""
    rows = {row['cidr']: (row['id'], row['service_name'])
            for row in steerd.ask('GET', f'{PREFIXES}/{prefix}/bindings')['result']}
    wrong = []
    rows.pop('203.0.113.0/24', None)
    for client in clients:
        if client.wrong:
            wrong.append(client.wrong)
        for cidr in client.cidrs:
            found = rows.get(cidr)
            allowed = [client.known.get(cidr)]
            if client.under_way and client.under_way[0] == cidr:
                service = client.under_way[1]
                if service is None:
                    allowed.append(None)
                elif found and found[1] == service:
                    continue
            if found not in allowed:
                wrong.append(f'{cidr}: {found} instead of one of {allowed}')
    status = steerd.ask('GET', '/steer/v1/status')['result']
    telemetry = Telemetry(f'{steerd.folder}/dpdk/api/dpdk_telemetry.v2')
    table = telemetry.ask('/steer/generation')
    if (table['active'], table['bindings']) != (status['generation'], status['bindings']):
        wrong.append(f'the table is at {table}, the store at {status}')
    names = {'CDN': 'cdn', 'Spectrum': 'spectrum'}
    for cidr, (_, service) in rows.items():
        if telemetry.ask(f'/steer/binding,{cidr}').get('service') != names[service]:
            wrong.append(f'{cidr} is {service} in the store, not so in the table')
    telemetry.close()
    return wrong, rows


def main():
    program = sys.argv[1]
    moments = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 30)
    print(f'seed {seed}', flush=True)
    chance = random.Random(seed)
    acknowledged = refused = cut = 0
    with LocalSteerd(program) as steerd:
        services = {one['name']: one['id']
                    for one in steerd.ask('GET', f'/accounts/{ACCOUNT}/addressing/services')['result']}
        prefix = steerd.ask('POST', PREFIXES, {'cidr': '203.0.113.0/24', 'asn': 64500})['result']['id']
        steerd.ask('POST', f'{PREFIXES}/{prefix}/bindings',
                   {'cidr': '203.0.113.0/24', 'service_id': services['Magic Transit']})
        rows = {}
        for moment in range(moments):
            clients = []
            for number in range(CLIENTS):
                client = Client(number, steerd.connect(), prefix, services, {}, chance.random())
                client.known = {cidr: rows[cidr] for cidr in client.cidrs if cidr in rows}
                clients.append(client)
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0, 0.1))
            steerd.kill()
            for client in clients:
                client.join(timeout=30)
                acknowledged += client.acknowledged
                refused += client.refused
                cut += client.under_way is not None
            steerd.start()
            wrong, rows = check(steerd, prefix, clients)
            if wrong:
                print(f'moment {moment}:', *wrong, sep='\n  ')
                return 1
    print(f'ok: {moments} kills, {acknowledged} changes acknowledged, {refused} refused, {cut} without reply')
    if acknowledged < moments or cut == 0:
        print('these were no moments of a stream of changes')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
