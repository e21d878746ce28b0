"""Speed of the gauge kernels on this machine; writes benchmarks/results/<date>-<processor>.json.

    python benchmarks/gauge.py [VOLUME ...]        volumes as 8,8,8,8; 8^4 and 16^4 if none is given

Everything is measured by `lqcd-hpc bench` (lqcd_hpc/cli/benchmark/): kernels, launch overhead, replicas, two
ranks.
"""

import sys
from pathlib import Path

from lqcd_hpc.cli.bench import measure
from lqcd_hpc.cli.benchmark import results
from lqcd_hpc.cli.shape import parse_shape

RESULTS = Path(__file__).parent / "results"


def main(volumes):
    """Measure, print the tables, write the file."""
    shapes = [parse_shape(text) for text in volumes or ("8,8,8,8", "16,16,16,16")]
    found = measure(shapes, ranks=2)
    results.show(found)
    print(results.write(found, RESULTS))


if __name__ == "__main__":
    main(sys.argv[1:])
