#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""script/bind_examples.py FILE: makes the bindings of a bindings file by the API.

The API is that of CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID. What is there already
stays.
"""

import json
import os
import sys
import urllib.error
import urllib.request

BASE = f"{os.environ['CLOUDFLARE_BASE_URL']}/accounts/{os.environ['CLOUDFLARE_ACCOUNT_ID']}/addressing"
TITLES = {'magic_transit': 'Magic Transit', 'cdn': 'CDN', 'spectrum': 'Spectrum'}


def ask(path, body=None):
    """The result; None where it exists already."""
    request = urllib.request.Request(BASE + path, None if body is None else json.dumps(body).encode(),
                                     {'Authorization': f"Bearer {os.environ['CLOUDFLARE_API_TOKEN']}"})
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)['result']
    except urllib.error.HTTPError as error:
        if error.code == 409:
            return None
        raise SystemExit(f'{path}: {error.read().decode()}') from error


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        prefixes = json.load(file)['prefixes']
    services = {one['name']: one['id'] for one in ask('/services')}
    for prefix in prefixes:
        ask('/prefixes', {'cidr': prefix['cidr'], 'asn': 64500})
    ids = {one['cidr']: one['id'] for one in ask('/prefixes')}
    for prefix in prefixes:
        for binding in [prefix, *prefix.get('bindings', [])]:
            if prefix['cidr'] in ids and 'service' in binding:
                ask(f"/prefixes/{ids[prefix['cidr']]}/bindings",
                    {'cidr': binding['cidr'], 'service_id': services[TITLES[binding['service']]]})


if __name__ == '__main__':
    main()
