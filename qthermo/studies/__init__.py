"""Files and runs: model files, methods by name, comparisons, and the demo."""
