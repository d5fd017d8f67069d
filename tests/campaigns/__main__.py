"""Runs campaigns at full size and writes their summary into docs/development/reliability-tests.md.

make campaigns [WHAT=kills] [SEED=0]
"""

import argparse
import sys

from medfold.system import files
from tests.campaigns import NAMES, named
from tests.campaigns.campaign import NotPossibleError, row, run, with_row
from tests.support.helpers import REPOSITORY

PAGE_NAME = "docs/development/reliability-tests.md"
PAGE = REPOSITORY / PAGE_NAME
JOURNALS = REPOSITORY / ".campaigns"


def main() -> int:
    """Runs the campaigns; the exit code is 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="make campaigns", description=__doc__.splitlines()[0])
    parser.add_argument("--what", type=str.split, default=NAMES, help=f"names of campaigns: {', '.join(NAMES)}")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices; default 0")
    options = parser.parse_args()
    if unknown := set(options.what) - set(NAMES):
        parser.error(f"WHAT={' '.join(sorted(unknown))}: unknown. Known: {', '.join(NAMES)}")
    failed = []
    for name in options.what:
        chosen = named(name)
        try:
            found = run(name, chosen, options.seed, JOURNALS)
        except NotPossibleError as reason:
            print(f"{name}: not tried: {reason}")
            continue
        files.write_text(with_row(PAGE.read_text(encoding="utf-8"), row(name, chosen, options.seed, found)), PAGE)
        failed += [f"{name}: {each.case}: {each.seen}" for each in found if not each.held]
        print(f"{name}: {sum(each.held for each in found):,} of {len(found):,} cases held -> {PAGE_NAME}")
    print("\n".join(["", f"{len(failed)} FAILED:", *failed] if failed else []))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
