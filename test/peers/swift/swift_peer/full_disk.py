"""A disk that is full: a filter of the object server that answers as it does then."""

import os


def filter_factory(_global_configuration, **configuration):
    """While `file` exists, each PUT ends with 507 after as many bytes as are written in it."""
    switch = configuration['file']

    def make(app):
        def handle(environment, start_response):
            if environment['REQUEST_METHOD'] == 'PUT' and os.path.exists(switch):
                with open(switch) as file:
                    read(environment['wsgi.input'], int(file.read()))
                text = b'There was not enough space to save the resource.'
                start_response('507 Insufficient Storage',
                               [('Content-Type', 'text/plain'), ('Content-Length', str(len(text)))])
                return [text]
            return app(environment, start_response)
        return handle
    return make


def read(body, size):
    """Reads so much of a body, or all of it when there is less."""
    while size > 0:
        chunk = body.read(min(size, 65536))
        if not chunk:
            return
        size -= len(chunk)
