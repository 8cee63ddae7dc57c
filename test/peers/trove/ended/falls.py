"""A peer that is ready and then answers nothing."""
import sys

print('these are my last words', file=sys.stderr, flush=True)
print('{"event": "ready"}', flush=True)
sys.stdin.read()
