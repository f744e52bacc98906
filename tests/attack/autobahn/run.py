"""Runs Autobahn's fuzzing client (Python 2.7) against an echo server and judges its report.

usage: python2.7 run.py ws://ADDRESS REPORTS-DIRECTORY
"""
from __future__ import print_function

import json
import os
import sys

# pip --target leaves out what makes a namespace package importable.
for place in sys.path:
    package = os.path.join(place, "zope")
    if os.path.isdir(os.path.join(package, "interface")):
        open(os.path.join(package, "__init__.py"), "a").close()

# Of the two parts of 12 and 13 (compression) nothing is spoken; 9 are measurements of large messages.
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
# Informational: what a server does is its own choice. Non-strict: right, but later than it could be.
GOOD = ("OK", "INFORMATIONAL", "NON-STRICT")


def main(server, reports):
    spec = os.path.join(reports, "spec.json")
    with open(spec, "w") as out:
        json.dump({
            "outdir": reports,
            "servers": [{"agent": "ume", "url": server}],
            "cases": CASES,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }, out)
    sys.argv = ["wstest", "--mode", "fuzzingclient", "--spec", spec]
    from autobahntestsuite import wstest
    try:
        wstest.run()
    except SystemExit:
        pass
    with open(os.path.join(reports, "index.json")) as report:
        cases = json.load(report)["ume"]
    count, failed = {}, []
    for name, case in sorted(cases.items()):
        for kind in ("behavior", "behaviorClose"):
            if case[kind] not in GOOD:
                failed.append("%s (%s: %s)" % (name, kind, case[kind]))
        count[case["behavior"]] = count.get(case["behavior"], 0) + 1
    print("\n%d cases: %s" % (len(cases), ", ".join(
        "%d %s" % (number, name) for name, number in sorted(count.items()))))
    for name in failed:
        print("FAILED: case", name)
    # A report of nothing is no success.
    return 0 if cases and len(cases) >= 240 and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
