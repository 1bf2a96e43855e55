#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""openapi_test.py STEERD: holds control/api/openapi.yaml and a running steerd together.

Every operation of the document is there and answers in its shapes, success and failure; every other method
of its paths is refused with the methods that the document has. Both mounts are the same.
"""

import json
import pathlib
import sys

import jsonschema
import yaml
from local_steerd import ACCOUNT, LocalSteerd

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / 'control/api/openapi.yaml'
METHODS = ('get', 'post', 'put', 'patch', 'delete')


def plain(schema):
    """JSON Schema of OpenAPI 3.0's dialect, whose `nullable` it does not know."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: plain(value) for key, value in schema.items() if key != 'nullable'}
    if schema.get('nullable') and 'type' in made:
        made['type'] = [made['type'], 'null']
    return made


class Caller:
    def __init__(self, steerd, document):
        self.steerd = steerd
        self.document = document
        self.schemas = {'components': {'schemas': plain(document['components']['schemas'])}}
        self.wrong = []
        self.seen = set()

    def ask(self, method, path, body=None, token=None):
        connection = self.steerd.connect()
        headers = {} if token is None else {'Authorization': f'Bearer {token}'}
        connection.request(method.upper(), path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response, json.loads(text)

    def conforms(self, what, body, reference):
        name = reference.rsplit('/', 1)[1]
        schema = {**self.schemas, '$ref': f'#/components/schemas/{name}'}
        try:
            jsonschema.validate(body, schema)
        except jsonschema.ValidationError as error:
            self.wrong.append(f'{what}: {error.message} in {json.dumps(body)}')

    def call(self, method, template, status, body=None, token=None, query='', **values):
        """Makes a call that must end with this status; its body has the shape of the document."""
        described = self.document['paths'][template][method]
        if status < 300:
            self.seen.add((template, method))
        path = template.replace('{token}', '{number}').format(account=ACCOUNT, **values)
        response, reply = self.ask(method, path + query, body, token)
        what = f'{method} {path}{query}'
        if response.status != status:
            self.wrong.append(f'{what}: status {response.status} instead of {status}: {reply}')
        if response.headers['Content-Type'] != 'application/json':
            self.wrong.append(f'{what}: {response.headers["Content-Type"]}')
        answer = described['responses'].get(str(status))
        if answer is None:
            self.wrong.append(f'{what}: the document knows no status {status}')
        elif '$ref' in answer:
            self.conforms(what, reply, '#/components/schemas/Failure')
        else:
            self.conforms(what, reply, answer['content']['application/json']['schema']['$ref'])
        return reply.get('result')


def call_all(caller):
    prefixes = '/accounts/{account}/addressing/prefixes'
    one = prefixes + '/{prefix}'
    bindings = one + '/bindings'
    binding = bindings + '/{binding}'
    services = caller.call('get', '/accounts/{account}/addressing/services', 200)
    made = caller.call('post', prefixes, 201, {'cidr': '203.0.113.0/24', 'asn': 64500})['id']
    body = {'cidr': '203.0.113.0/24', 'service_id': services[1]['id']}
    bound = caller.call('post', bindings, 201, body, prefix=made)['id']
    caller.call('post', bindings, 409, body, prefix=made)
    caller.call('post', bindings, 400, {'cidr': 1}, prefix=made)
    caller.call('get', prefixes, 200)
    caller.call('get', one, 200, prefix=made)
    caller.call('patch', one, 200, {'description': 'd'}, prefix=made)
    caller.call('get', bindings, 200, prefix=made)
    caller.call('get', binding, 200, prefix=made, binding=bound)
    caller.call('delete', one, 400, prefix=made)
    caller.call('delete', binding, 200, prefix=made, binding=bound)
    caller.call('get', binding, 404, prefix=made, binding=bound)
    caller.call('delete', one, 200, prefix=made)
    caller.call('get', one, 404, prefix=made)
    token = caller.call('post', '/steer/v1/tokens', 201, {'role': 'read', 'account': ACCOUNT})
    caller.call('get', '/steer/v1/tokens', 200)
    caller.call('get', '/steer/v1/tokens', 403, token=token['token'])
    caller.call('post', prefixes, 403, {'cidr': '203.0.113.0/24', 'asn': 1}, token=token['token'])
    caller.call('get', prefixes, 401, token='nobody')
    caller.call('delete', '/steer/v1/tokens/{token}', 200, number=token['number'])
    call_changes(caller)
    call_import(caller)
    caller.call('get', '/steer/v1/status', 200)
    caller.call('get', '/steer/v1/history', 200)


def call_changes(caller):
    changes, rollback = '/steer/v1/changes', '/steer/v1/rollback'
    before = caller.call('get', '/steer/v1/status', 200)['generation']
    add = {'op': 'add_prefix', 'cidr': '198.51.100.0/24', 'account': ACCOUNT, 'asn': 64500, 'service': 'magic_transit'}
    made = caller.call('post', changes, 200, {'changes': [add, {'op': 'create', 'cidr': '198.51.100.1/32', 'service': 'cdn'}]})
    if made['counts']['bindings_created'] != 2:
        caller.wrong.append(f'changes: {made}')
    caller.call('post', changes, 409, {'changes': [add]})
    caller.call('post', changes, 400, {'changes': []})
    caller.call('post', changes, 404, {'changes': [{'op': 'delete', 'cidr': '192.0.2.1/32'}]})
    call_reading(caller)
    caller.call('post', rollback, 404, {'generation': 1_000_000})
    back = caller.call('post', rollback, 200, {'generation': before})
    if back['counts']['prefixes_deleted'] != 1:
        caller.wrong.append(f'rollback: {back}')


def call_reading(caller):
    """While there is 198.51.100.0/24 with a host."""
    prefixes, bindings, explain = '/steer/v1/prefixes', '/steer/v1/bindings', '/steer/v1/explain'
    caller.call('get', prefixes, 200)
    caller.call('get', prefixes, 400, query='?acount=x')
    found = caller.call('get', bindings, 200, query='?address=198.51.100.1&order=rate')
    if len(found['bindings']) != 2:
        caller.wrong.append(f'bindings: {found}')
    caller.call('get', bindings, 404, query='?prefix=192.0.2.0/24')
    for query in ('?address=198.51.100.1', '?address=2001:db8::1&direction=egress&protocol=tcp&port=443'):
        caller.call('get', explain, 200, query=query)
    caller.call('get', explain, 400)
    counters = caller.call('get', '/steer/v1/counters', 200)
    if len(counters['services']) != 3 or not counters['ports'] or not counters['workers']:
        caller.wrong.append(f'counters: {counters}')
    response, document = caller.ask('get', '/steer/v1/export')
    caller.seen.add(('/steer/v1/export', 'get'))
    caller.conforms('export', document, '#/components/schemas/Export')
    if response.status != 200 or [one['cidr'] for one in document['prefixes']] != ['198.51.100.0/24']:
        caller.wrong.append(f'export: {response.status} {document}')


def call_import(caller):
    document = {'generation': 1, 'prefixes': [
        {'cidr': '198.51.100.0/24', 'service': 'cdn', 'account': ACCOUNT, 'asn': 64500, 'description': 'd',
         'bindings': [{'cidr': '198.51.100.1/32', 'service': 'spectrum'}]},
        {'cidr': '2001:db8::/48', 'service': None, 'account': ACCOUNT, 'asn': None, 'bindings': []}]}
    made = caller.call('put', '/steer/v1/import', 200, document)
    if made['counts'] != {'prefixes_added': 2, 'prefixes_deleted': 0, 'bindings_created': 2, 'bindings_deleted': 0,
                          'bindings_changed': 0}:
        caller.wrong.append(f'import: {made}')
    caller.call('put', '/steer/v1/import', 400, {'prefixes': [{'cidr': '198.51.100.0/24', 'bindings': [{}]}]})
    caller.call('put', '/steer/v1/import', 409, {'prefixes': [document['prefixes'][0]] * 2})


def main():
    document = yaml.safe_load(DOCUMENT.read_text(encoding='utf-8'))
    with LocalSteerd(sys.argv[1]) as steerd:
        caller = Caller(steerd, document)
        call_all(caller)
        for template, operations in document['paths'].items():
            path = template.replace('{account}', ACCOUNT)
            for parameter in ('prefix', 'binding', 'token'):
                path = path.replace('{' + parameter + '}', '0' * 32)
            for method in METHODS:
                if method in operations:
                    if (template, method) not in caller.seen:
                        caller.wrong.append(f'{method} {template}: was not seen to succeed')
                    continue
                response, reply = caller.ask(method, path)
                allowed = sorted(response.headers.get('Allow', '').split(', '))
                if response.status != 405 or allowed != sorted(name.upper() for name in operations):
                    caller.wrong.append(f'{method} {template}: {response.status}, Allow: {allowed}')
                caller.conforms(f'{method} {template}', reply, '#/components/schemas/Failure')
            mounted, _ = caller.ask('PUT', '/client/v4' + path)
            if mounted.status != (405 if template.startswith('/accounts/') else 404):
                caller.wrong.append(f'/client/v4{template}: {mounted.status}')
    for line in caller.wrong:
        print('WRONG  ' + line)
    print(f'{len(caller.seen)} operations')
    return 1 if caller.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
