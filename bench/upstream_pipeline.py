"""The backup and restore of upstream's driver, rebuilt from standard tools
(docs/contracts/swift.md, 4, 7 and 10), and plain requests to compare with.

    backup DIRECTORY TMP    tar -z | gzip, the segment spooled to a file in TMP, upload, copy, delete
    restore                 download | gzip -d | tar -x
    put FILE, get           one plain request

The rest comes from the environment: SWIFT_URL, SWIFT_TOKEN, CONTAINER, OBJECT.
"""

import hashlib
import http.client
import os
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

CHUNK = 64 * 1024
SEGMENT = 2 * 1024 ** 3


def backup(directory, tmp):
    swift, container, name = connection(), os.environ['CONTAINER'], os.environ['OBJECT']
    segment = name.split('.')[0] + '_00000000'
    tar = subprocess.Popen(['/bin/tar', '-zcpPf', '-', directory], stdout=subprocess.PIPE)
    gzip = subprocess.Popen(['gzip'], stdin=tar.stdout, stdout=subprocess.PIPE)
    tar.stdout.close()
    swift.put_container(container)
    md5 = hashlib.md5()
    with tempfile.NamedTemporaryFile(dir=tmp) as spool:
        while chunk := gzip.stdout.read(CHUNK):
            md5.update(chunk)
            spool.write(chunk)
        if spool.tell() > SEGMENT:
            sys.exit('more than one segment: this pipeline is for smaller archives')
        spool.seek(0)
        etag = swift.put_object(container, segment, spool, chunk_size=CHUNK)
    if tar.wait() or gzip.wait() or etag != md5.hexdigest():
        sys.exit('tar, gzip or Swift failed')
    swift.put_object(container, name, '', headers={'X-Copy-From': container + '/' + segment})
    swift.delete_object(container, segment)
    if swift.head_object(container, name)['etag'].strip('"') != etag:
        sys.exit('Swift has something else')
    print(etag)


def restore():
    swift, container, name = connection(), os.environ['CONTAINER'], os.environ['OBJECT']
    _, body = swift.get_object(container, name, resp_chunk_size=CHUNK)
    gzip = subprocess.Popen(['gzip', '-d', '-c'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    tar = subprocess.Popen(['/bin/tar', 'xzpPf', '-', '-C', '/'], stdin=gzip.stdout)
    gzip.stdout.close()
    for chunk in body:
        gzip.stdin.write(chunk)
    gzip.stdin.close()
    if gzip.wait() or tar.wait():
        sys.exit('gzip or tar failed')


def put(file):
    with open(file, 'rb') as body:
        headers = {'Content-Length': str(os.fstat(body.fileno()).st_size)}
        answer = plain_request('PUT', body, headers)
    answer.read()


def get():
    answer = plain_request('GET', None, {})
    while answer.read(1 << 20):
        pass


def plain_request(method, body, headers):
    url = urlsplit(os.environ['SWIFT_URL'])
    path = '/'.join((url.path, os.environ['CONTAINER'], os.environ['OBJECT']))
    swift = http.client.HTTPConnection(url.hostname, url.port, blocksize=1 << 20)
    headers['X-Auth-Token'] = os.environ['SWIFT_TOKEN']
    swift.request(method, path, body, headers)
    answer = swift.getresponse()
    if answer.status >= 300:
        sys.exit('%s: %d' % (method, answer.status))
    return answer


def connection():
    from swiftclient.client import Connection
    return Connection(preauthurl=os.environ['SWIFT_URL'], preauthtoken=os.environ['SWIFT_TOKEN'])


if __name__ == '__main__':
    {'backup': backup, 'restore': restore, 'put': put, 'get': get}[sys.argv[1]](*sys.argv[2:])
