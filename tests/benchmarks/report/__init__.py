"""docs/performance.md and its plots, from the results in docs/performance.json: `make figures`."""
