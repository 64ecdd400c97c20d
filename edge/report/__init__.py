"""Reports that print: one self-contained HTML file each."""
