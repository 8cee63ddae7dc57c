"""The real Trove code of Debian's python3-trove as a test peer, spoken to in lines of JSON.

trove_peer.conductor is Trove's conductor, trove_peer.client its callers: the guest client and the
database. The TypeScript face of both is ../trove-peer.ts. What it takes to run Trove's code outside
its daemons: docs/contracts/trove.md, 10.
"""
