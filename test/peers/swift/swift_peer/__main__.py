"""A private Swift cluster of one node: `python3 -m swift_peer '<plan as JSON>'`.

Imports Swift once and forks its four daemons, so that all of them are up in about a second. It
lives until its standard input ends, which is when whoever started it stops it or dies in any way;
then it kills the daemons and removes every file. It prints one JSON object per line.
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import time
import traceback
from select import select
from socket import AF_UNIX, SOCK_DGRAM, socket

import eventlet

# As each daemon of Swift does: here once, and early, when little is there to be gone through. The
# launcher itself goes on with the functions above: what belongs to eventlet must not be forked.
eventlet.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift_peer import files  # noqa: E402
from swift_peer.xattrs import directory_with_xattrs  # noqa: E402

PR_SET_PDEATHSIG = 1
START_SECONDS = 60
"""What Swift logs; only the newest part is kept, and at most twice as much is on disk."""
LOG_BYTES = 1 << 20


def main():
    plan = json.loads(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    directory = directory_with_xattrs(plan['bases'], say)
    daemons = []
    try:
        files.write(directory, plan)
        log = LogFile(directory)
        daemons = start(directory)
        wait_until_up(plan['ports'].values(), daemons, log)
        say('ready', directory=directory, daemons=daemons)
        while not input_ended(log, None):
            pass
    finally:
        end(daemons)
        shutil.rmtree(directory)


def end(daemons):
    for pid in daemons:
        # Nobody else waits for them, so that a PID stays theirs until we have.
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def say(event, **facts):
    print(json.dumps({'event': event, **facts}), flush=True)


def start(directory):
    """Forks the daemons and returns their PIDs."""
    from swift.common import constraints, utils
    from swift.common.storage_policy import reload_storage_policies
    import swift.account.server  # noqa: F401  each daemon has it all from the fork
    import swift.container.server  # noqa: F401
    import swift.obj.server  # noqa: F401
    import swift.proxy.server  # noqa: F401
    utils.set_swift_dir(directory)
    reload_storage_policies()
    constraints.reload_constraints()
    return [fork_daemon(directory, name) for name in files.DAEMONS]


def fork_daemon(directory, name):
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # The kernel ends it with the launcher, also when that one is killed.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            from swift.common.wsgi import run_wsgi
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDWR), sys.stdin.fileno())
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            code = run_wsgi(files.configuration(directory, name), name)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait_until_up(ports, daemons, log):
    deadline = time.monotonic() + START_SECONDS
    for port in ports:
        while not accepts(port):
            if any(os.waitpid(pid, os.WNOHANG) != (0, 0) for pid in daemons):
                sys.exit('a daemon of Swift ended: ' + log.newest())
            if time.monotonic() > deadline:
                sys.exit('Swift was not up in %d s: %s' % (START_SECONDS, log.newest()))
            if input_ended(log, 0.02):
                sys.exit(0)


def accepts(port):
    with socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


def input_ended(log, timeout):
    """Writes down what Swift logs meanwhile."""
    readable, _, _ = select([sys.stdin, log.socket], [], [], timeout)
    if log.socket in readable:
        log.receive()
    return sys.stdin in readable and not os.read(sys.stdin.fileno(), 4096)


class LogFile:
    """Stands where syslog would, as Swift can log to nothing else."""

    def __init__(self, directory):
        self.socket = socket(AF_UNIX, SOCK_DGRAM)
        self.socket.bind(files.log_socket(directory))
        self.path = os.path.join(directory, 'swift.log')
        self.file = open(self.path, 'ab', buffering=0)

    def receive(self):
        self.file.write(self.socket.recv(1 << 16).rstrip(b'\0\n') + b'\n')
        if self.file.tell() > LOG_BYTES:
            os.replace(self.path, self.path + '.1')
            self.file.close()
            self.file = open(self.path, 'ab', buffering=0)

    def newest(self):
        while select([self.socket], [], [], 0)[0]:
            self.receive()
        with open(self.path, errors='replace') as file:
            return file.read()[-2000:]


if __name__ == '__main__':
    main()
