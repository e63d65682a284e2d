"""SHOW: figures, notebook execution, HTML reports."""
