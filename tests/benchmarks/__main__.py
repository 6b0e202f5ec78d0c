"""Runs every benchmark and prints its table. `--quick` is the form that CI runs so that none of them rots."""

import sys

from tests.benchmarks import bench_eventlog, bench_import, bench_logs, bench_reconnect, bench_scan, bench_update

BENCHMARKS = (bench_scan, bench_eventlog, bench_reconnect, bench_update, bench_import, bench_logs)

if __name__ == "__main__":
    for benchmark in BENCHMARKS:
        print(benchmark.table(quick="--quick" in sys.argv).markdown(), end="\n\n", flush=True)
