"""What people search for, without who they are, and the operator's synonyms."""

from datetime import date

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database import Base, Id


class SearchQueryStat(Base):
    """Counts of one normalised query on one day. Nothing about the person is kept."""

    __tablename__ = "search_query_stat"
    __table_args__ = (Index("ix_search_query_stat_day_searches", "day", "searches"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    query: Mapped[str] = mapped_column(String(80), primary_key=True)
    searches: Mapped[int] = mapped_column(default=0)
    zero_results: Mapped[int] = mapped_column(default=0)
    clicks: Mapped[int] = mapped_column(default=0)
    click_position_sum: Mapped[int] = mapped_column(default=0)


class SynonymGroup(Base):
    """Terms that mean the same to search."""

    __tablename__ = "synonym_group"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    terms: Mapped[list[str]] = mapped_column(default=list)
