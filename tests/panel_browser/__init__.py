"""The panel in a real browser: the first day without a terminal, accessibility, widths, hostile names."""
