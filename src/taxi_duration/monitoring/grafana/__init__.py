"""Grafana's dashboards and alert rules as code: `make dashboards` writes them to `monitoring/`.

The SQL and the Prometheus queries of all panels are here and nowhere else; whoever draws the same
figures reads the JSON that is checked in.
"""
