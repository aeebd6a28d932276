"""Speed of OpenTPE, measured in one run: `make bench` writes docs/benchmarks.md."""
