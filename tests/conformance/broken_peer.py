#!/usr/bin/python3
"""A WebSocket echo peer that is strict and correct, or broken in exactly one way.

usage: broken_peer.py --listen PORT [--fault NAME] [--deflate]
       broken_peer.py --connect ws://HOST:PORT/ [--agent NAME] [--jobs N] [--fault NAME] [--deflate]
       broken_peer.py --list

It is what the conformance kit is tested against: the kit has to find the fault, and nothing else. It uses
only Python's standard library and no code of the project. With --connect it is a client that runs all
cases of a fuzzing server. --list shows the faults.
"""

import argparse
import functools
import signal
import sys

sys.dont_write_bytecode = True

import faults
import peer
import roles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=int, metavar="PORT")
    parser.add_argument("--connect", metavar="URL")
    parser.add_argument("--agent", default="broken_peer")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at a time of a client")
    parser.add_argument("--fault", metavar="NAME", choices=sorted(faults.FAULTS))
    parser.add_argument("--deflate", action="store_true", help="with permessage-deflate")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name, fault in faults.FAULTS.items():
            print(f"{name:32} {'/'.join(fault.roles):14} {fault.description}")
        return 0
    if (options.listen is None) == (options.connect is None):
        parser.error("one of --listen and --connect is needed")
    kind = faults.FAULTS[options.fault].peer if options.fault else peer.Peer
    make_peer = functools.partial(kind, use_deflate=options.deflate)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if options.connect:
            roles.Driver(options.connect, options.agent, make_peer, options.jobs).run()
        else:
            roles.serve(options.listen, make_peer)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
