"""Lines of JSON on stdin and stdout, one object each."""

import json
import os


class Channel:
    """Owns stdin and stdout; whatever else prints goes to stderr from now on."""

    def __init__(self):
        self._out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
        os.dup2(2, 1)
        os.set_blocking(0, False)  # so that eventlet's os.read lets other green threads run

    def send(self, message):
        """Writes one object; values that JSON does not know become text."""
        self._out.write(json.dumps(message, default=str) + '\n')
        self._out.flush()

    def receive(self):
        """Yields every object that comes in, until stdin is closed."""
        pending = b''
        while chunk := os.read(0, 65536):
            *lines, pending = (pending + chunk).split(b'\n')
            for line in lines:
                yield json.loads(line)
