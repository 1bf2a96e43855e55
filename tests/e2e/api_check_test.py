#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""api_check_test.py STEERD: `steerd --check` says what a start would make of the API's store, and changes nothing,
while no steerd runs, while one does, and after one was killed."""

import os
import signal
import sqlite3
import subprocess
import sys

from local_steerd import ACCOUNT, LocalSteerd

PREFIXES = f'/client/v4/accounts/{ACCOUNT}/addressing/prefixes'


def written(folder):
    """What is in the data directory: names, bytes, and when they were written."""
    files = {}
    for name in os.listdir(folder):
        with open(f'{folder}/{name}', 'rb') as file:
            files[name] = (file.read(), os.stat(f'{folder}/{name}').st_mtime_ns)
    return files


def check(steerd):
    """Exit status and everything that was said; the data directory is as it was."""
    data = f'{steerd.folder}/data'
    before = written(data) if os.path.isdir(data) else None
    result = subprocess.run([steerd.program, '--config', f'{steerd.folder}/steerd.conf', '--data-directory', data,
                             '--check'], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                            timeout=60)
    after = written(data) if os.path.isdir(data) else None
    assert after == before, f'--check has changed {data}: {sorted(before or [])}, {sorted(after or [])}'
    return result.returncode, result.stdout + result.stderr


def expect(found, status, *texts):
    """The check ended so, and said that."""
    assert found[0] == status, found
    for text in texts:
        assert text in found[1], f'"{text}" is not in: {found[1]}'


def change(steerd, cidr):
    """Onboards a prefix, which moves the generation on by one."""
    steerd.ask('POST', PREFIXES, {'cidr': cidr, 'asn': 64500})


def main():
    program = sys.argv[1]
    steerd = LocalSteerd(program)
    try:
        expect(check(steerd), 0, 'data/steer.db: would be made\n', 'bindings: 0 prefixes, 0 bindings')
        assert not os.path.exists(f'{steerd.folder}/data')

        steerd.start()
        change(steerd, '203.0.113.0/24')
        expect(check(steerd), 0, 'bindings: 1 prefixes, 0 bindings', 'data/steer.db: schema 2, generation 2\n')
        change(steerd, '198.51.100.0/24')  # the running one was not disturbed
        expect(check(steerd), 0, 'bindings: 2 prefixes', 'generation 3\n')

        steerd.kill(signal.SIGKILL)
        assert os.path.getsize(f'{steerd.folder}/data/steer.db-wal') > 0
        expect(check(steerd), 0, 'bindings: 2 prefixes', 'generation 3\n')

        steerd.start()
        change(steerd, '192.0.2.0/24')
        steerd.kill(signal.SIGTERM)
        assert os.listdir(f'{steerd.folder}/data') == ['steer.db']
        expect(check(steerd), 0, 'bindings: 3 prefixes', 'generation 4\n')

        store = sqlite3.connect(f'{steerd.folder}/data/steer.db')
        store.execute('DROP TABLE losses')
        store.execute('ALTER TABLE history DROP COLUMN before')
        store.execute('ALTER TABLE generation DROP COLUMN rollback_from')
        store.execute('PRAGMA user_version = 1')
        store.commit()
        store.close()
        expect(check(steerd), 0, 'bindings: 3 prefixes', 'schema 1, generation 4; would be brought to schema 2\n')

        store = sqlite3.connect(f'{steerd.folder}/data/steer.db')
        store.execute('PRAGMA user_version = 9')
        store.close()
        expect(check(steerd), 1, 'a newer steer wrote it (schema 9; this one knows 2)')
    finally:
        steerd.__exit__()
    print('ok')


if __name__ == '__main__':
    main()
