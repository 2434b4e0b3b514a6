from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import SCHEMA, markdown, metadata
from taxi_duration.settings import Settings


def test_the_page_of_tables_is_what_the_code_declares(root: Path) -> None:
    assert markdown() in (root / "docs" / "tables.md").read_text()


def test_every_table_and_column_says_what_it_means() -> None:
    page = markdown()
    for table in metadata.sorted_tables:
        assert table.comment
        assert f"## {table.fullname}\n" in page
        for column in table.columns:
            assert column.comment
            assert f"| `{column.name}`" in page


@pytest.mark.stack
def test_the_migrations_end_at_the_tables_that_the_code_declares(database: Settings) -> None:
    options = {"include_schemas": True, "version_table_schema": SCHEMA}
    with connect(database) as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
