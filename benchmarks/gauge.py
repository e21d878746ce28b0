"""Speed of the gauge kernels on this machine; writes benchmarks/results/<date>-<processor>.json.

    python benchmarks/gauge.py [VOLUME ...]        volumes as 8,8,8,8; 8^4 and 16^4 if none is given

Everything is measured by `lqcd-hpc bench gauge` (lqcd_hpc/cli/benchmark/): kernels, launch overhead, replicas, two
ranks.
"""

import sys
from pathlib import Path

from lqcd_hpc.cli.benchmark import gauge, results
from lqcd_hpc.cli.benchmark.request import Request
from lqcd_hpc.lattice.communicator import world

RESULTS = Path(__file__).parent / "results"


def main(volumes):
    """Measure, print the tables, write the file."""
    found = gauge.measure(Request("gauge", tuple(volumes) or gauge.VOLUMES, ranks=2), world())
    results.show(found, gauge.tables(found))
    print(results.write(found, RESULTS))


if __name__ == "__main__":
    main(sys.argv[1:])
