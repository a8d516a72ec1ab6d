"""The embedded board viewer: one page that draws the committed Grafana board files."""
