-- A user for Grafana that reads the figures and can do nothing else. Run it once the pipeline has
-- made the schema, as the user that owns it:
--   psql -v password=… -f monitoring/grafana/reader.sql "postgresql://…"
CREATE ROLE taxi_grafana LOGIN PASSWORD :'password' CONNECTION LIMIT 10;
ALTER ROLE taxi_grafana SET default_transaction_read_only = on;
ALTER ROLE taxi_grafana SET statement_timeout = '30s';
GRANT USAGE ON SCHEMA monitoring TO taxi_grafana;
GRANT SELECT ON ALL TABLES IN SCHEMA monitoring TO taxi_grafana;
-- Tables that later versions of this project add.
ALTER DEFAULT PRIVILEGES IN SCHEMA monitoring GRANT SELECT ON TABLES TO taxi_grafana;
