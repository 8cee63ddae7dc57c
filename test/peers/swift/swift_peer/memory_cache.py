"""Stands where memcached would: the proxy is a single process and keeps its cache itself.

Tempauth hands out a user's token again as long as it is good; Keystone never does. So each request
for a token has the cache forget whose token it was. The token itself stays good.
"""

import json
import time


class MemoryCache:
    """What Swift 2.30 calls of its MemcacheRing. Values are copied by way of JSON, as there."""

    def __init__(self):
        self.entries = {}

    def set(self, key, value, time=0, **_options):
        self.entries[key] = (json.dumps(value), _expiry(time))

    def get(self, key, **_options):
        text, expires = self.entries.get(key, (None, None))
        if text is None:
            return None
        if expires < time.time():
            del self.entries[key]
            return None
        return json.loads(text)

    def delete(self, key, **_options):
        self.entries.pop(key, None)


def _expiry(seconds):
    return time.time() + seconds if seconds else float('inf')


def filter_factory(_global_configuration, **_configuration):
    def make(app):
        cache = MemoryCache()

        def handle(environment, start_response):
            environment['swift.cache'] = cache
            if environment['PATH_INFO'] == '/auth/v1.0':
                cache.delete('AUTH_/user/' + environment.get('HTTP_X_AUTH_USER', ''))
            return app(environment, start_response)
        return handle
    return make
