"""`python -m tests.benchmarks.report`: take what was measured here into docs/, and tell it."""

from tests.benchmarks.report.write import write_report
from tests.benchmarks.results import MEASURED, ROOT, TOLD, merge, read_results, write_results

if __name__ == "__main__":
    write_results(TOLD, merge(read_results(TOLD), read_results(MEASURED)))
    write_report(read_results(TOLD), ROOT / "docs")
