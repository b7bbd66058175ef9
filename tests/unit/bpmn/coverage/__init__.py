"""What `docs/bpmn-coverage.md` says of each element by position, shown by running it."""
