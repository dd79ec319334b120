"""Everything Qt: the window, its tabs, widgets and theme. Nothing outside this package imports Qt."""
