"""Pages, figures and tables from the records of runs; trains nothing, and imports no Keras."""
