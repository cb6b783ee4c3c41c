"""CSV files as people really have them: read as a stream, taken in by batches, bad rows put aside."""
