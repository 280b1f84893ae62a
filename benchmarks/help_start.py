"""Measure how long ``milobot --help`` takes, the whole process.

The yardstick is a Python process that does nothing: it shows how much of the
time is the machine and how much is ours. Limit: 0.25 s on two cores.
"""

import subprocess
import sys
import time

RUNS = 15
LIMIT_S = 0.25


def best_time_s(*words: str) -> float:
    """Return the shortest of several runs, which is the one least disturbed by other processes."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the figure, its ratio to an empty process, and the limit."""
    empty = best_time_s("-c", "pass")
    overview = best_time_s("-m", "milobot", "--help")
    print(
        f"milobot --help: {overview:.3f} s, {overview / empty:.1f} times an empty Python process "
        f"({empty:.3f} s); limit {LIMIT_S} s: {'met' if overview <= LIMIT_S else 'MISSED'}"
    )


if __name__ == "__main__":
    main()
