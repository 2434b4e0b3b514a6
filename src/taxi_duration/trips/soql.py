"""SoQL, the language of questions to the City's open data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """One question to one dataset, in the clauses of SoQL."""

    dataset: str
    select: str = "*"
    where: str = ""
    order: str = ""
    limit: int | None = None
    offset: int = 0

    @property
    def clauses(self) -> dict[str, str]:
        """The clauses that are not SODA's default, by keyword."""
        clauses = {
            "SELECT": self.select,
            "WHERE": self.where,
            "ORDER BY": self.order,
            "LIMIT": "" if self.limit is None else str(self.limit),
            "OFFSET": str(self.offset or ""),
        }
        return {keyword: text for keyword, text in clauses.items() if text}

    @property
    def soql(self) -> str:
        """The question as one statement, for SODA 3."""
        return " ".join(f"{keyword} {text}" for keyword, text in self.clauses.items())

    @property
    def parameters(self) -> dict[str, str]:
        """The question as URL parameters, for SODA 2.1."""
        return {f"${word.split()[0].lower()}": text for word, text in self.clauses.items()}
