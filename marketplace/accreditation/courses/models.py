"""Courses, who takes them, attempts at their quizzes; trainers and the sessions they hold."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.accreditation.courses.content import CourseContent
from marketplace.core import clock
from marketplace.core.append_only import append_only
from marketplace.core.database import Base, Id, text_enum
from marketplace.identity.models import User


class CourseState(enum.StrEnum):
    """Whether a course can be taken."""

    DRAFT = "draft"  # never published
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Course(Base):
    """A course. `draft` is what staff write on; learners see the version `published_number`."""

    __tablename__ = "course"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    state: Mapped[CourseState] = mapped_column(
        text_enum(CourseState), default=CourseState.DRAFT, index=True
    )
    position: Mapped[int] = mapped_column(default=0)
    draft: Mapped[dict[str, Any]]
    has_changes: Mapped[bool] = mapped_column(default=True)
    published_number: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)

    @property
    def content(self) -> CourseContent:
        """The draft as a value."""
        return CourseContent.model_validate(self.draft)


class CourseVersion(Base):
    """A published version. Append-only."""

    __tablename__ = "course_version"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by_id: Mapped[int | None] = mapped_column(Id)

    course: Mapped[Course] = relationship()

    __table_args__ = (UniqueConstraint("course_id", "number"),)

    @property
    def content(self) -> CourseContent:
        """What it says."""
        return CourseContent.model_validate(self.document)


append_only(CourseVersion)


class Enrolment(Base):
    """A person who takes a course for an organization. Its row is locked to begin and to end
    attempts."""

    __tablename__ = "course_enrolment"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)

    course: Mapped[Course] = relationship()
    user: Mapped[User] = relationship()

    __table_args__ = (UniqueConstraint("user_id", "course_id", "organization_id"),)


class LessonDone(Base):
    """A lesson that a person has done; lessons keep their keys over versions."""

    __tablename__ = "course_lesson_done"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("course_enrolment.id"))
    lesson_key: Mapped[str] = mapped_column(String(20))
    done_at: Mapped[datetime] = mapped_column(default=clock.now)

    __table_args__ = (UniqueConstraint("enrolment_id", "lesson_key"),)


class Attempt(Base):
    """One attempt at a quiz. `score` is in percent, rounded down; `right` says it by question."""

    __tablename__ = "course_attempt"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("course_enrolment.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("course_version.id"), index=True)
    number: Mapped[int]
    drawn: Mapped[list[str]]
    # Question key: the places of the chosen options.
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    closes_at: Mapped[datetime | None] = mapped_column(index=True)
    submitted_at: Mapped[datetime | None]
    score: Mapped[int | None]
    passed: Mapped[bool | None]
    right: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Staff let it not count among the attempts allowed.
    is_forgiven: Mapped[bool] = mapped_column(default=False)
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("credential.id"))

    enrolment: Mapped[Enrolment] = relationship()
    version: Mapped[CourseVersion] = relationship()

    __table_args__ = (UniqueConstraint("enrolment_id", "number"),)


class Trainer(Base):
    """A member whom a partner has registered as a trainer. Counts while registered, a member, and
    holding a valid trainer credential."""

    __tablename__ = "trainer"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    name: Mapped[str] = mapped_column(String(120))
    registered_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("organization_id", "user_id"),)


class TrainingSession(Base):
    """A training that a trainer has held. Withdrawn ones stay, and count no more."""

    __tablename__ = "training_session"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    organization_id: Mapped[int] = mapped_column(ForeignKey("organization.id"))
    trainer_id: Mapped[int] = mapped_column(ForeignKey("trainer.id"))
    held_on: Mapped[date]
    title: Mapped[str] = mapped_column(String(200))
    people: Mapped[int]
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by_id: Mapped[int | None] = mapped_column(Id)
    withdrawn_at: Mapped[datetime | None]

    trainer: Mapped[Trainer] = relationship()

    __table_args__ = (Index("ix_training_session_day", "organization_id", "held_on"),)
