"""Runs every benchmark and prints one table. `--quick` is the form that CI runs so that none of them rots."""

import sys

from tests.benchmarks import bench_eventlog, bench_reconnect, bench_scan
from tests.benchmarks.table import markdown

BENCHMARKS = (bench_scan, bench_eventlog, bench_reconnect)

if __name__ == "__main__":
    print(markdown([row for benchmark in BENCHMARKS for row in benchmark.rows(quick="--quick" in sys.argv)]))
