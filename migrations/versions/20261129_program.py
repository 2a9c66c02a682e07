"""The program: policy, standings, measurements, onboarding, accreditation, pipeline, insight."""

import sqlalchemy as sa
from alembic import op

import marketplace.core.database
from marketplace.core.append_only import postgresql_triggers, sqlite_triggers
from marketplace.program.policy.models import POSTGRESQL_TRIGGERS, SQLITE_TRIGGERS

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Tables that only grow when this migration was made.
APPEND_ONLY = (
    "account_receipt",
    "activity_report",
    "application_entry",
    "campaign_expense",
    "course_version",
    "credit_entry",
    "deal_credit",
    "deal_credit_split",
    "evaluation",
    "idea_report",
    "lead_event",
    "measurement",
    "round_terms",
    "standing_move",
    "terms_acceptance",
    "territory_sales_report",
)


def upgrade() -> None:
    op.create_table(
        "deal_import",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_deal_import_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deal_import_public_id")),
    )
    with op.batch_alter_table("deal_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_import_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "policy_preview",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("against", sa.String(length=40), nullable=False),
        sa.Column("asked_for", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("moment", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column(
            "last_organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_preview")),
        sa.UniqueConstraint("public_id", name=op.f("uq_policy_preview_public_id")),
    )
    with op.batch_alter_table("policy_preview", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_preview_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_policy_preview_version_id"), ["version_id"], unique=False
        )

    op.create_table(
        "policy_preview_move",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "preview_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("from_tier", sa.String(length=40), nullable=False),
        sa.Column("to_tier", sa.String(length=40), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("anyway", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["preview_id"],
            ["policy_preview.id"],
            name=op.f("fk_policy_preview_move_preview_id_policy_preview"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_preview_move")),
    )
    with op.batch_alter_table("policy_preview_move", schema=None) as batch_op:
        batch_op.create_index("ix_policy_preview_move_preview", ["preview_id", "id"], unique=False)

    op.create_table(
        "program_reminder",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("due_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_reminder")),
        sa.UniqueConstraint(
            "kind", "subject_id", "due_at", name=op.f("uq_program_reminder_kind_subject_id_due_at")
        ),
    )
    op.create_table(
        "certification_program",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column(
            "subject",
            sa.Enum(
                "listing",
                "organization",
                "person",
                name="subject",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("validity_months", sa.Integer(), nullable=False),
        sa.Column("partner_types", sa.JSON(), nullable=False),
        sa.Column("listing_kinds", sa.JSON(), nullable=False),
        sa.Column(
            "listing_rule",
            sa.Enum(
                "badge",
                "unlist",
                "required",
                name="listingrule",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("people_minimum", sa.Integer(), nullable=False),
        sa.Column("takes_fee", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_program")),
        sa.UniqueConstraint("public_id", name=op.f("uq_certification_program_public_id")),
    )
    op.create_table(
        "chain_check",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "passed",
                "failed",
                name="checkstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("open_slot", sa.Integer(), nullable=True),
        sa.Column("asked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "asked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("broken", sa.JSON(), nullable=False),
        sa.Column("broken_count", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_check")),
        sa.UniqueConstraint("open_slot", name=op.f("uq_chain_check_open_slot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_chain_check_public_id")),
    )
    op.create_table(
        "contact_region",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("countries", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_region")),
        sa.UniqueConstraint("name", name=op.f("uq_contact_region_name")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_region_public_id")),
    )
    op.create_table(
        "course",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                "archived",
                name="coursestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("has_changes", sa.Boolean(), nullable=False),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_public_id")),
    )
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_state"), ["state"], unique=False)

    op.create_table(
        "credential_signing_key",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("public_jwk", sa.JSON(), nullable=False),
        sa.Column("sealed_private", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "retired_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "retired_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_signing_key")),
        sa.UniqueConstraint("kid", name=op.f("uq_credential_signing_key_kid")),
        sa.UniqueConstraint("number", name=op.f("uq_credential_signing_key_number")),
    )
    op.create_table(
        "exposure_count",
        sa.Column("slot", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "listing_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "impression",
                "view",
                name="exposurekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "placement",
            sa.Enum(
                "search",
                "category",
                "home",
                "collection",
                "partner",
                "similar",
                "direct",
                name="placement",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "slot", "listing_id", "kind", "placement", name=op.f("pk_exposure_count")
        ),
    )
    with op.batch_alter_table("exposure_count", schema=None) as batch_op:
        batch_op.create_index(
            "ix_exposure_count_organization", ["organization_id", "slot"], unique=False
        )

    op.create_table(
        "exposure_sighting",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "impression",
                "view",
                name="exposurekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("spot", sa.String(length=20), nullable=False),
        sa.Column(
            "listing_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "day", "visitor", "kind", "spot", "listing_id", name=op.f("pk_exposure_sighting")
        ),
    )
    op.create_table(
        "lead_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_event")),
    )
    with op.batch_alter_table("lead_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_event_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "lead_routing_rule",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("partner_types", sa.JSON(), nullable=False),
        sa.Column("same_country", sa.Boolean(), nullable=False),
        sa.Column("least_tier", sa.String(length=40), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "round_robin",
                "weighted",
                name="method",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("answer_hours", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_routing_rule")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_routing_rule_public_id")),
    )
    with op.batch_alter_table("lead_routing_rule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lead_routing_rule_position"), ["position"], unique=False
        )

    op.create_table(
        "measurement",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "counts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "recorded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("source_type", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_measurement_idempotency_key")),
    )
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.create_index("ix_measurement_measure", ["measure", "counts_at"], unique=False)
        batch_op.create_index("ix_measurement_recorded_at", ["recorded_at"], unique=False)
        batch_op.create_index(
            "ix_measurement_series",
            ["organization_id", "measure", "counts_at", "currency", "amount"],
            unique=False,
        )
        batch_op.create_index("ix_measurement_source", ["source_type", "source_id"], unique=False)

    op.create_table(
        "passport_issuer",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("thumbprints", sa.JSON(), nullable=False),
        sa.Column("added_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "added_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "removed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passport_issuer")),
        sa.UniqueConstraint("issuer", name=op.f("uq_passport_issuer_issuer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_passport_issuer_public_id")),
    )
    op.create_table(
        "policy_version",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                "discarded",
                name="policystate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "based_on_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "effective_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "published_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["based_on_id"],
            ["policy_version.id"],
            name=op.f("fk_policy_version_based_on_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("number", name=op.f("uq_policy_version_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_policy_version_public_id")),
    )
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_policy_version_effective_at"), ["effective_at"], unique=False
        )
        batch_op.create_index("ix_policy_version_state", ["state", "effective_at"], unique=False)

    op.create_table(
        "program_round",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "grant",
                "incubator",
                "accelerator",
                "proof_of_concept",
                name="roundkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "open",
                "closed",
                name="roundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opens_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "closes_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("types", sa.JSON(), nullable=False),
        sa.Column("least_tier", sa.String(length=40), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("places", sa.Integer(), nullable=True),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("gates", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("track_days", sa.Integer(), nullable=False),
        sa.Column("review_days", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_round")),
        sa.UniqueConstraint("public_id", name=op.f("uq_program_round_public_id")),
    )
    with op.batch_alter_table("program_round", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_program_round_closes_at"), ["closes_at"], unique=False)
        batch_op.create_index("ix_program_round_state", ["state", "closes_at"], unique=False)

    op.create_table(
        "report_schedule",
        sa.Column(
            "scope",
            sa.Enum(
                "partner",
                "program",
                name="reportscope",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("on_since", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("staff_ids", sa.JSON(), nullable=False),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_report_schedule")),
    )
    op.create_table(
        "royalty_counter",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_royalty_counter")),
    )
    op.create_table(
        "territory_lock",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.PrimaryKeyConstraint("country", name=op.f("pk_territory_lock")),
    )
    op.create_table(
        "visitor_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_visitor_salt")),
    )
    op.create_table(
        "account_check",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("pair", sa.String(length=41), nullable=False),
        sa.Column(
            "inviter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "invitee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "invited",
                "accepted",
                "declined",
                "ended",
                name="checkstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "level",
            sa.Enum(
                "counts",
                "names",
                name="level",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("key_sealed", sa.String(length=300), nullable=False),
        sa.Column(
            "invited_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "invited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "answered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["invitee_id"],
            ["organization.id"],
            name=op.f("fk_account_check_invitee_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["inviter_id"],
            ["organization.id"],
            name=op.f("fk_account_check_inviter_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_check")),
        sa.UniqueConstraint("public_id", name=op.f("uq_account_check_public_id")),
    )
    with op.batch_alter_table("account_check", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_check_invitee_id"), ["invitee_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_account_check_inviter_id"), ["inviter_id"], unique=False
        )
        batch_op.create_index(
            "uq_account_check_pair",
            ["pair"],
            unique=True,
            sqlite_where=sa.text("state IN ('invited', 'accepted')"),
            postgresql_where=sa.text("state IN ('invited', 'accepted')"),
        )

    op.create_table(
        "activity_report",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "partner",
                "program",
                name="reportscope",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("cause", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_activity_report_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_report")),
        sa.UniqueConstraint("cause", name=op.f("uq_activity_report_cause")),
        sa.UniqueConstraint("public_id", name=op.f("uq_activity_report_public_id")),
    )
    with op.batch_alter_table("activity_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_report_month"), ["month"], unique=False)
        batch_op.create_index(
            "ix_activity_report_organization", ["organization_id", "month"], unique=False
        )

    op.create_table(
        "application",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "applicant_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("form", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "fee_due",
                "in_review",
                "more_asked",
                "accepted",
                "declined",
                "withdrawn",
                name="applicationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("status_token_hash", sa.String(length=64), nullable=False),
        sa.Column("status_token_sealed", sa.String(length=300), nullable=False),
        sa.Column("open_key", sa.String(length=330), nullable=True),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("queued_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("review_days", sa.Integer(), nullable=True),
        sa.Column(
            "promised_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("asked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("missed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("fee_currency", sa.String(length=3), nullable=False),
        sa.Column(
            "fee_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "fee_refunded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["applicant_user_id"],
            ["user_account.id"],
            name=op.f("fk_application_applicant_user_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_application_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["program_round.id"], name=op.f("fk_application_round_id_program_round")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("fee_order_id", name=op.f("uq_application_fee_order_id")),
        sa.UniqueConstraint("open_key", name=op.f("uq_application_open_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_application_public_id")),
        sa.UniqueConstraint("status_token_hash", name=op.f("uq_application_status_token_hash")),
    )
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_application_kind"), ["kind"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_application_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "ix_application_organization_kind", ["organization_id", "kind"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_application_promised_until"), ["promised_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_application_queued_at"), ["queued_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_application_round_id"), ["round_id"], unique=False)
        batch_op.create_index("ix_application_state_queued", ["state", "queued_at"], unique=False)

    op.create_table(
        "benefit_claim",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("benefit", sa.String(length=40), nullable=False),
        sa.Column("benefit_name", sa.String(length=80), nullable=False),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "claimed",
                "fulfilled",
                "refused",
                "withdrawn",
                name="claimstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "claimed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "claimed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_benefit_claim_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["policy_version.id"],
            name=op.f("fk_benefit_claim_policy_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_claim")),
        sa.UniqueConstraint("public_id", name=op.f("uq_benefit_claim_public_id")),
    )
    with op.batch_alter_table("benefit_claim", schema=None) as batch_op:
        batch_op.create_index(
            "ix_benefit_claim_organization", ["organization_id", "benefit", "year"], unique=False
        )
        batch_op.create_index("ix_benefit_claim_state", ["state", "claimed_at"], unique=False)

    op.create_table(
        "benefit_year",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("benefit", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_benefit_year_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_year")),
        sa.UniqueConstraint(
            "organization_id",
            "benefit",
            "year",
            name=op.f("uq_benefit_year_organization_id_benefit_year"),
        ),
    )
    op.create_table(
        "business_plan",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "returned",
                "approved",
                name="planstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("goals", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_business_plan_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_business_plan")),
        sa.UniqueConstraint(
            "organization_id", "year", name=op.f("uq_business_plan_organization_id_year")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_business_plan_public_id")),
    )
    with op.batch_alter_table("business_plan", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_business_plan_submitted_at"), ["submitted_at"], unique=False
        )

    op.create_table(
        "certification_checklist",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                name="checkliststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("pass_percent", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "published_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["certification_program.id"],
            name=op.f("fk_certification_checklist_program_id_certification_program"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_checklist")),
        sa.UniqueConstraint(
            "program_id", "number", name=op.f("uq_certification_checklist_program_id_number")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_certification_checklist_public_id")),
    )
    op.create_table(
        "client_workspace",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "preparing",
                "offered",
                "handed_over",
                name="handoverstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("client_email", sa.String(length=254), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "offered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "handed_over_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "kept_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "attribution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["organization.id"],
            name=op.f("fk_client_workspace_customer_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["organization.id"],
            name=op.f("fk_client_workspace_partner_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_workspace")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_client_workspace_customer_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_client_workspace_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_client_workspace_token_hash")),
    )
    with op.batch_alter_table("client_workspace", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_client_workspace_partner_id"), ["partner_id"], unique=False
        )

    op.create_table(
        "contact_absence",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("until", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_contact_absence_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_contact_absence")),
    )
    op.create_table(
        "contact_assignment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "partner_manager",
                "marketing",
                "support",
                "executive_sponsor",
                name="contactrole",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "backup_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "assigned_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "assigned_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["backup_user_id"],
            ["user_account.id"],
            name=op.f("fk_contact_assignment_backup_user_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_assignment_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["region_id"],
            ["contact_region.id"],
            name=op.f("fk_contact_assignment_region_id_contact_region"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_contact_assignment_user_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_assignment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_assignment_public_id")),
        sa.UniqueConstraint("role", "scope", name=op.f("uq_contact_assignment_role_scope")),
    )
    with op.batch_alter_table("contact_assignment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_assignment_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contact_assignment_user_id"), ["user_id"], unique=False
        )

    op.create_table(
        "contact_made",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "role",
            sa.Enum(
                "partner_manager",
                "marketing",
                "support",
                "executive_sponsor",
                name="contactrole",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_made_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_contact_made_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_made")),
    )
    with op.batch_alter_table("contact_made", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contact_made_organization", ["organization_id", "role", "at"], unique=False
        )

    op.create_table(
        "contact_request",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "message",
                "booking",
                "escalation",
                name="requestkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "answered",
                "closed",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "role",
            sa.Enum(
                "partner_manager",
                "marketing",
                "support",
                "executive_sponsor",
                name="contactrole",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "away_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("is_handed_over", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("due_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "answered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "reminded_for", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("agreed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "canceled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["away_user_id"],
            ["user_account.id"],
            name=op.f("fk_contact_request_away_user_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f("fk_contact_request_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_contact_request_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_contact_request_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_contact_request_public_id")),
    )
    with op.batch_alter_table("contact_request", schema=None) as batch_op:
        batch_op.create_index("ix_contact_request_due", ["due_at"], unique=False)
        batch_op.create_index(
            "ix_contact_request_inbox", ["user_id", "state", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contact_request_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "course_enrolment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "course_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_enrolment_course_id_course")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_course_enrolment_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_course_enrolment_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_enrolment")),
        sa.UniqueConstraint(
            "user_id",
            "course_id",
            "organization_id",
            name=op.f("uq_course_enrolment_user_id_course_id_organization_id"),
        ),
    )
    with op.batch_alter_table("course_enrolment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_course_enrolment_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "course_version",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "course_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "published_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_version_course_id_course")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_version")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_version_course_id_number")),
    )
    op.create_table(
        "credential",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("issue_key", sa.String(length=160), nullable=False),
        sa.Column("achievement", sa.String(length=120), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recipient_name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column(
            "issued_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "revoked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.Column(
            "revoked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("shows_name", sa.Boolean(), nullable=False),
        sa.Column(
            "reminded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "expiry_told_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("token", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_credential_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_credential_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint("issue_key", name=op.f("uq_credential_issue_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_credential_public_id")),
    )
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_credential_achievement"), ["achievement"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_credential_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            "ix_credential_organization_user", ["organization_id", "user_id"], unique=False
        )
        batch_op.create_index("ix_credential_revoked", ["revoked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_credential_user_id"), ["user_id"], unique=False)

    op.create_table(
        "credit_account",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_credit_account_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_account")),
        sa.UniqueConstraint(
            "organization_id", "currency", name=op.f("uq_credit_account_organization_id_currency")
        ),
    )
    op.create_table(
        "domain_proof",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("held_domain", sa.String(length=253), nullable=True),
        sa.Column(
            "method",
            sa.Enum(
                "dns",
                "email",
                name="proofmethod",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "verified",
                "failing",
                "reopened",
                "disputed",
                "removed",
                name="proofstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("challenge", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column(
            "token_expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("failed_checks", sa.Integer(), nullable=False),
        sa.Column(
            "checked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "next_check_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "grace_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "verified_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("dispute", sa.Text(), nullable=False),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "removed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_domain_proof_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_proof")),
        sa.UniqueConstraint("held_domain", name=op.f("uq_domain_proof_held_domain")),
        sa.UniqueConstraint("public_id", name=op.f("uq_domain_proof_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_domain_proof_token_hash")),
    )
    with op.batch_alter_table("domain_proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_domain_proof_domain"), ["domain"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_domain_proof_next_check_at"), ["next_check_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_domain_proof_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "evaluation",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("partner_type", sa.String(length=40), nullable=True),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("earned_tier", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["policy_version.id"],
            name=op.f("fk_evaluation_policy_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_evaluation_organization_at", ["organization_id", "at"], unique=False
        )

    op.create_table(
        "join_ask",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "answered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_join_ask_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_ask")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_join_ask_token_hash")),
    )
    with op.batch_alter_table("join_ask", schema=None) as batch_op:
        batch_op.create_index(
            "ix_join_ask_organization", ["organization_id", "email", "created_at"], unique=False
        )

    op.create_table(
        "lead",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "listing",
                "partner_page",
                "directory",
                "campaign",
                "partner",
                name="leadsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "offered",
                "unplaced",
                "accepted",
                "closed",
                name="leadstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "stage",
            sa.Enum(
                "new",
                "contacted",
                "qualified",
                "proposal",
                "won",
                "lost",
                name="leadstage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "review",
            sa.Enum(
                "pending",
                "qualified",
                "rejected",
                name="review",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("company", sa.String(length=120), nullable=False),
        sa.Column("website", sa.String(length=253), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("domain_key", sa.String(length=253), nullable=False),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("budget", sa.String(length=20), nullable=False),
        sa.Column("time_frame", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("postal_code", sa.String(length=12), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("wanted_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "customer_organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "consent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("consent_text", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "accepted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("lost_reason", sa.String(length=300), nullable=False),
        sa.Column("review_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "reviewed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "duplicate_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "touched_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("erased_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["duplicate_of_id"], ["lead.id"], name=op.f("fk_lead_duplicate_of_id_lead")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["organization.id"], name=op.f("fk_lead_owner_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_public_id")),
    )
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_country"), ["country"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_lead_customer_organization_id"),
            ["customer_organization_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_lead_domain_key"), ["domain_key"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_lead_duplicate_of_id"), ["duplicate_of_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_lead_email_key"), ["email_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_lead_owner_stage", ["owner_id", "stage"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_state"), ["state"], unique=False)

    op.create_table(
        "lead_import",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_lead_import_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_import")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_import_public_id")),
    )
    with op.batch_alter_table("lead_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lead_import_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "listing_authorization",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ready",
                "in_process",
                "authorized",
                name="authorizationstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("sponsor", sa.String(length=120), nullable=False),
        sa.Column("evidence_url", sa.String(length=500), nullable=False),
        sa.Column("authorized_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column(
            "check",
            sa.Enum(
                "submitted",
                "accepted",
                "returned",
                "withdrawn",
                "expired",
                name="checkstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_listing_authorization_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_authorization")),
        sa.UniqueConstraint("public_id", name=op.f("uq_listing_authorization_public_id")),
    )
    with op.batch_alter_table("listing_authorization", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_authorization_check", ["check", "submitted_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_authorization_expires_on"), ["expires_on"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_listing_authorization_level"), ["level"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_listing_authorization_listing_id"), ["listing_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_authorization_organization_id"),
            ["organization_id"],
            unique=False,
        )

    op.create_table(
        "managed_service",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=False),
        sa.Column("response_minutes", sa.Integer(), nullable=False),
        sa.Column("availability_bps", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_managed_service_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_managed_service")),
        sa.UniqueConstraint("public_id", name=op.f("uq_managed_service_public_id")),
    )
    with op.batch_alter_table("managed_service", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_managed_service_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "mapped_host",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "program",
                "white_label",
                name="hostkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "paused",
                name="hoststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("challenge", sa.String(length=64), nullable=False),
        sa.Column("proven_by", sa.String(length=10), nullable=False),
        sa.Column("proven_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "checked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("check_result", sa.String(length=300), nullable=False),
        sa.Column("brand_name", sa.String(length=80), nullable=False),
        sa.Column("brand_color", sa.String(length=7), nullable=False),
        sa.Column("logo_key", sa.String(length=200), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("sender_address", sa.String(length=254), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_mapped_host_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapped_host")),
        sa.UniqueConstraint("host", name=op.f("uq_mapped_host_host")),
        sa.UniqueConstraint("public_id", name=op.f("uq_mapped_host_public_id")),
    )
    with op.batch_alter_table("mapped_host", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mapped_host_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_mapped_host_state"), ["state"], unique=False)

    op.create_table(
        "partner_invite",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "inviter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "invited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "joined_organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("joined_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("credited", sa.Boolean(), nullable=False),
        sa.Column("not_credited_because", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["invited_by_id"],
            ["user_account.id"],
            name=op.f("fk_partner_invite_invited_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["inviter_id"],
            ["organization.id"],
            name=op.f("fk_partner_invite_inviter_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_invite")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_partner_invite_code_hash")),
        sa.UniqueConstraint("inviter_id", "email", name=op.f("uq_partner_invite_inviter_id_email")),
        sa.UniqueConstraint("public_id", name=op.f("uq_partner_invite_public_id")),
    )
    with op.batch_alter_table("partner_invite", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_partner_invite_inviter_id"), ["inviter_id"], unique=False
        )

    op.create_table(
        "partner_message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("receivers", sa.Integer(), nullable=False),
        sa.Column("sent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("form_key", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_partner_message_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_message")),
        sa.UniqueConstraint("form_key", name=op.f("uq_partner_message_form_key")),
    )
    with op.batch_alter_table("partner_message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_partner_message_organization", ["organization_id", "sent_at"], unique=False
        )

    op.create_table(
        "partner_task",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("partner_type", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum(
                "partner",
                "operator",
                name="taskside",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("begun_on", sa.Date(), nullable=False),
        sa.Column("due_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column(
            "assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("done_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "done_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "reminded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "reminded_late_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"],
            ["user_account.id"],
            name=op.f("fk_partner_task_assignee_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_partner_task_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["policy_version.id"],
            name=op.f("fk_partner_task_policy_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_task")),
        sa.UniqueConstraint(
            "organization_id",
            "partner_type",
            "key",
            "begun_on",
            name=op.f("uq_partner_task_organization_id_partner_type_key_begun_on"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_partner_task_public_id")),
    )
    with op.batch_alter_table("partner_task", schema=None) as batch_op:
        batch_op.create_index("ix_partner_task_due", ["side", "done_at", "due_at"], unique=False)

    op.create_table(
        "passport_export",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("audience", sa.String(length=300), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "accepted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("accepted_items", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_passport_export_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passport_export")),
        sa.UniqueConstraint("public_id", name=op.f("uq_passport_export_public_id")),
    )
    with op.batch_alter_table("passport_export", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_passport_export_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "passport_import",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "issuer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("passport_uri", sa.String(length=300), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column(
            "imported_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "imported_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id"],
            ["passport_issuer.id"],
            name=op.f("fk_passport_import_issuer_id_passport_issuer"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_passport_import_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passport_import")),
        sa.UniqueConstraint(
            "issuer_id", "passport_uri", name=op.f("uq_passport_import_issuer_id_passport_uri")
        ),
    )
    with op.batch_alter_table("passport_import", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_passport_import_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "policy_replay",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("whole_period", sa.Boolean(), nullable=False),
        sa.Column(
            "starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "running",
                "done",
                "stopped",
                name="replaystate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column(
            "last_organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["policy_version.id"],
            name=op.f("fk_policy_replay_version_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_replay")),
        sa.UniqueConstraint("public_id", name=op.f("uq_policy_replay_public_id")),
    )
    with op.batch_alter_table("policy_replay", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_replay_state"), ["state"], unique=False)

    op.create_table(
        "procurement_profile",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("legal_name", sa.String(length=160), nullable=False),
        sa.Column("registration_number", sa.String(length=80), nullable=False),
        sa.Column("tax_id", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("security_contact", sa.String(length=120), nullable=False),
        sa.Column("security_email", sa.String(length=254), nullable=False),
        sa.Column("security_url", sa.String(length=500), nullable=False),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_procurement_profile_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement_profile")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_procurement_profile_organization_id")),
    )
    op.create_table(
        "program_manager",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("named_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "named_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "confirmed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "confirm_by", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "departed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "measured_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("asked_for", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "warned_for", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_program_manager_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_program_manager_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_manager")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_program_manager_organization_id")),
    )
    with op.batch_alter_table("program_manager", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_program_manager_confirm_by"), ["confirm_by"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_program_manager_user_id"), ["user_id"], unique=False)

    op.create_table(
        "round_terms",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["program_round.id"], name=op.f("fk_round_terms_round_id_program_round")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_terms")),
        sa.UniqueConstraint("round_id", "version", name=op.f("uq_round_terms_round_id_version")),
    )
    op.create_table(
        "seat",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("held_key", sa.String(length=60), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "frozen",
                "ended",
                name="seatstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("lab_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("taken_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["lab_id"], ["organization.id"], name=op.f("fk_seat_lab_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_seat_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_seat_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat")),
        sa.UniqueConstraint("held_key", name=op.f("uq_seat_held_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_seat_public_id")),
    )
    with op.batch_alter_table("seat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seat_lab_id"), ["lab_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_seat_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_seat_user_id"), ["user_id"], unique=False)

    op.create_table(
        "standing",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "provisional",
                "active",
                "lapsed",
                "ended",
                name="standingstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column(
            "joined_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "provisional_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "grace_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("grace_tier", sa.String(length=40), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column(
            "evaluated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "evaluation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_standing_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_standing_organization_id")),
    )
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_standing_grace_until"), ["grace_until"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_standing_provisional_until"), ["provisional_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_standing_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_standing_tier"), ["tier"], unique=False)

    op.create_table(
        "standing_move",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "joined",
                "promoted",
                "grace_began",
                "grace_ended",
                "demoted",
                "overridden",
                "override_ended",
                "confirmed",
                "lapsed",
                "ended",
                "type_changed",
                name="movekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_tier", sa.String(length=40), nullable=True),
        sa.Column("to_tier", sa.String(length=40), nullable=True),
        sa.Column("partner_type", sa.String(length=40), nullable=True),
        sa.Column("policy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "evaluation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["policy_version.id"],
            name=op.f("fk_standing_move_policy_id_policy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_move")),
    )
    with op.batch_alter_table("standing_move", schema=None) as batch_op:
        batch_op.create_index(
            "ix_standing_move_organization_at", ["organization_id", "at"], unique=False
        )

    op.create_table(
        "start_dismissal",
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_start_dismissal_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_start_dismissal")),
    )
    op.create_table(
        "territory_grant",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "royalty_base",
            sa.Enum(
                "measured",
                "reported",
                name="royaltybase",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("royalty_bps", sa.Integer(), nullable=False),
        sa.Column("minimum_amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "granted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("end_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_territory_grant_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_grant")),
        sa.UniqueConstraint("public_id", name=op.f("uq_territory_grant_public_id")),
    )
    with op.batch_alter_table("territory_grant", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_territory_grant_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "tier_override",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "settled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_tier_override_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_override")),
        sa.UniqueConstraint("public_id", name=op.f("uq_tier_override_public_id")),
    )
    with op.batch_alter_table("tier_override", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_tier_override_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_tier_override_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "trainer",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "registered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_trainer_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_trainer_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainer")),
        sa.UniqueConstraint(
            "organization_id", "user_id", name=op.f("uq_trainer_organization_id_user_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_trainer_public_id")),
    )
    op.create_table(
        "verification",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "submitted",
                "returned",
                "approved",
                "lapsed",
                "revoked",
                name="verificationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column(
            "verified_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reminded_days", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_verification_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_verification_organization_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_verification_public_id")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_verification_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index("ix_verification_state", ["state", "submitted_at"], unique=False)

    op.create_table(
        "verification_document",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "registration",
                "address",
                "tax",
                "accreditation",
                "identity",
                "other",
                name="documentkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column(
            "uploaded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "uploaded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("delete_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "deleted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_verification_document_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_document")),
        sa.UniqueConstraint("public_id", name=op.f("uq_verification_document_public_id")),
    )
    with op.batch_alter_table("verification_document", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_verification_document_delete_at"), ["delete_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_verification_document_organization_id"),
            ["organization_id"],
            unique=False,
        )

    op.create_table(
        "voucher",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("ending", sa.String(length=4), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("partner_type", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "redeemed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "redeemed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "revoked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "revoked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_voucher_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("public_id", name=op.f("uq_voucher_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_voucher_token_hash")),
    )
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_voucher_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "account_list",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "uploaded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["check_id"], ["account_check.id"], name=op.f("fk_account_list_check_id_account_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_account_list_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_list")),
        sa.UniqueConstraint(
            "check_id", "organization_id", name=op.f("uq_account_list_check_id_organization_id")
        ),
    )
    with op.batch_alter_table("account_list", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_list_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "account_receipt",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "list",
                "entry",
                name="receiptkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["account_check.id"],
            name=op.f("fk_account_receipt_check_id_account_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_receipt")),
        sa.UniqueConstraint("public_id", name=op.f("uq_account_receipt_public_id")),
    )
    with op.batch_alter_table("account_receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_receipt_check_id"), ["check_id"], unique=False)

    op.create_table(
        "account_workspace_note",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("check_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("form_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["account_check.id"],
            name=op.f("fk_account_workspace_note_check_id_account_check"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_workspace_note")),
        sa.UniqueConstraint("form_id", name=op.f("uq_account_workspace_note_form_id")),
    )
    with op.batch_alter_table("account_workspace_note", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_account_workspace_note_check_id"), ["check_id"], unique=False
        )

    op.create_table(
        "application_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "submitted",
                "fee_paid",
                "assigned",
                "conflict",
                "scored",
                "advanced",
                "asked",
                "answered",
                "accepted",
                "declined",
                "withdrawn",
                "promise_missed",
                "fee_refunded",
                name="entrykind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_entry_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_entry")),
    )
    with op.batch_alter_table("application_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_application_entry_application_id"), ["application_id"], unique=False
        )

    op.create_table(
        "application_review",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column(
            "reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_review_application_id_application"),
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["user_account.id"],
            name=op.f("fk_application_review_reviewer_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_review")),
        sa.UniqueConstraint(
            "application_id",
            "stage",
            "reviewer_id",
            name=op.f("uq_application_review_application_id_stage_reviewer_id"),
        ),
    )
    with op.batch_alter_table("application_review", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_application_review_reviewer_id"), ["reviewer_id"], unique=False
        )

    op.create_table(
        "campaign",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "declined",
                "withdrawn",
                "closed",
                name="campaignstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("headline", sa.String(length=120), nullable=False),
        sa.Column("pitch", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "partner_share", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "asked_share", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "platform_share", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "requested_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("closed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_campaign_days")),
        sa.CheckConstraint(
            "partner_share >= 0 AND asked_share >= 0 AND platform_share >= 0",
            name=op.f("ck_campaign_shares"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_campaign_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_campaign_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_public_id")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_campaign_state"), ["state"], unique=False)

    op.create_table(
        "certification",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "checklist_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "subject",
            sa.Enum(
                "listing",
                "organization",
                "person",
                name="subject",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("open_key", sa.String(length=120), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "returned",
                "certified",
                "refused",
                "withdrawn",
                "expired",
                "revoked",
                "renewed",
                name="certificationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("renews_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column(
            "certified_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "fee_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reminded_days", sa.Integer(), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"],
            ["certification_checklist.id"],
            name=op.f("fk_certification_checklist_id_certification_checklist"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_certification_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["certification_program.id"],
            name=op.f("fk_certification_program_id_certification_program"),
        ),
        sa.ForeignKeyConstraint(
            ["renews_id"],
            ["certification.id"],
            name=op.f("fk_certification_renews_id_certification"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification")),
        sa.UniqueConstraint("fee_order_id", name=op.f("uq_certification_fee_order_id")),
        sa.UniqueConstraint("open_key", name=op.f("uq_certification_open_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_certification_public_id")),
    )
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_certification_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_certification_listing_id"), ["listing_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_certification_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_certification_program_id"), ["program_id"], unique=False
        )
        batch_op.create_index("ix_certification_state", ["state", "submitted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_certification_user_id"), ["user_id"], unique=False)

    op.create_table(
        "contact_message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_staff", sa.Boolean(), nullable=False),
        sa.Column("is_note", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("form_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_contact_message_author_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["contact_request.id"],
            name=op.f("fk_contact_message_request_id_contact_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_message")),
        sa.UniqueConstraint("form_id", name=op.f("uq_contact_message_form_id")),
    )
    with op.batch_alter_table("contact_message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_message_request_id"), ["request_id"], unique=False
        )

    op.create_table(
        "contact_slot",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["contact_request.id"],
            name=op.f("fk_contact_slot_request_id_contact_request"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_slot")),
    )
    with op.batch_alter_table("contact_slot", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_slot_request_id"), ["request_id"], unique=False
        )

    op.create_table(
        "course_attempt",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "enrolment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("closes_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("right", sa.JSON(), nullable=False),
        sa.Column("is_forgiven", sa.Boolean(), nullable=False),
        sa.Column(
            "credential_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credential.id"],
            name=op.f("fk_course_attempt_credential_id_credential"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["course_enrolment.id"],
            name=op.f("fk_course_attempt_enrolment_id_course_enrolment"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["course_version.id"],
            name=op.f("fk_course_attempt_version_id_course_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_attempt")),
        sa.UniqueConstraint(
            "enrolment_id", "number", name=op.f("uq_course_attempt_enrolment_id_number")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_course_attempt_public_id")),
    )
    with op.batch_alter_table("course_attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_course_attempt_closes_at"), ["closes_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_course_attempt_version_id"), ["version_id"], unique=False
        )

    op.create_table(
        "course_lesson_done",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "enrolment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("lesson_key", sa.String(length=20), nullable=False),
        sa.Column("done_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["course_enrolment.id"],
            name=op.f("fk_course_lesson_done_enrolment_id_course_enrolment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_lesson_done")),
        sa.UniqueConstraint(
            "enrolment_id", "lesson_key", name=op.f("uq_course_lesson_done_enrolment_id_lesson_key")
        ),
    )
    op.create_table(
        "credit_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "voucher",
                "fee",
                "returned",
                name="creditkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "voucher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["credit_account.id"],
            name=op.f("fk_credit_entry_account_id_credit_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entry")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_credit_entry_idempotency_key")),
    )
    with op.batch_alter_table("credit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_credit_entry_account", ["account_id", "at"], unique=False)

    op.create_table(
        "deal",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "submitted",
                "conflict",
                "approved",
                "refused",
                "expired",
                "withdrawn",
                name="dealstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "stage",
            sa.Enum(
                "discovery",
                "proposal",
                "negotiation",
                "won",
                "lost",
                name="dealstage",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("customer_name", sa.String(length=120), nullable=False),
        sa.Column("customer_domain", sa.String(length=253), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("product", sa.String(length=120), nullable=False),
        sa.Column("claim_key", sa.String(length=400), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("close_on", sa.Date(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decide_by", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "reminded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decision_reason", sa.String(length=300), nullable=False),
        sa.Column("lost_reason", sa.String(length=300), nullable=False),
        sa.Column("won_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_deal_amount_not_negative")),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_deal_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_deal_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
        sa.UniqueConstraint("public_id", name=op.f("uq_deal_public_id")),
    )
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.create_index("ix_deal_claim_key", ["claim_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_decide_by"), ["decide_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_deal_owner_state", ["organization_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_deal_won_at"), ["won_at"], unique=False)

    op.create_table(
        "host_person",
        sa.Column(
            "user_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("host_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["host_id"],
            ["mapped_host.id"],
            name=op.f("fk_host_person_host_id_mapped_host"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_host_person_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_host_person")),
    )
    with op.batch_alter_table("host_person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_host_person_host_id"), ["host_id"], unique=False)

    op.create_table(
        "idea",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "open",
                "claimed",
                "listed",
                "declined",
                name="ideastate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("opened_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("listed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("told_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("vote_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_idea_created_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_idea_listing_id_listing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea")),
        sa.UniqueConstraint("public_id", name=op.f("uq_idea_public_id")),
    )
    with op.batch_alter_table("idea", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idea_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index("ix_idea_state", ["state", "id"], unique=False)

    op.create_table(
        "interest_conflict",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_interest_conflict_application_id_application"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_interest_conflict_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_conflict")),
        sa.UniqueConstraint(
            "application_id", "user_id", name=op.f("uq_interest_conflict_application_id_user_id")
        ),
    )
    op.create_table(
        "join_request",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("partner_type", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "unfinished",
                "applied",
                "joined",
                "declined",
                name="joinstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organization_name", sa.String(length=80), nullable=False),
        sa.Column("website", sa.String(length=500), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("invite_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("joined_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("owner_invited", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["invite_id"],
            ["partner_invite.id"],
            name=op.f("fk_join_request_invite_id_partner_invite"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_join_request_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_join_request_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
        sa.UniqueConstraint("application_id", name=op.f("uq_join_request_application_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_join_request_public_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_join_request_token_hash")),
    )
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_join_request_email"), ["email"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_join_request_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "lead_note",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("form_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_note_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_note")),
        sa.UniqueConstraint("form_id", name=op.f("uq_lead_note_form_id")),
    )
    with op.batch_alter_table("lead_note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_note_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "lead_offer",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "accepted",
                "declined",
                "expired",
                "withdrawn",
                name="offerstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column(
            "offered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("deadline", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "answered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decline_reason", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_offer_lead_id_lead")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_lead_offer_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"],
            ["lead_routing_rule.id"],
            name=op.f("fk_lead_offer_rule_id_lead_routing_rule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_offer")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_offer_public_id")),
    )
    with op.batch_alter_table("lead_offer", schema=None) as batch_op:
        batch_op.create_index("ix_lead_offer_deadline", ["state", "deadline"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_offer_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_lead_offer_partner", ["organization_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_offer_rule_id"), ["rule_id"], unique=False)
        batch_op.create_index(
            "uq_lead_offer_open",
            ["lead_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "lead_task",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_task_lead_id_lead")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_task")),
        sa.UniqueConstraint("public_id", name=op.f("uq_lead_task_public_id")),
    )
    with op.batch_alter_table("lead_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_task_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "passport_recognition",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("since", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["passport_import.id"],
            name=op.f("fk_passport_recognition_import_id_passport_import"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_passport_recognition_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passport_recognition")),
        sa.UniqueConstraint("public_id", name=op.f("uq_passport_recognition_public_id")),
    )
    with op.batch_alter_table("passport_recognition", schema=None) as batch_op:
        batch_op.create_index(
            "ix_passport_recognition_of", ["organization_id", "expires_at"], unique=False
        )

    op.create_table(
        "plan_activity",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("done_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "done_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["business_plan.id"], name=op.f("fk_plan_activity_plan_id_business_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_activity")),
    )
    with op.batch_alter_table("plan_activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_activity_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "policy_replay_difference",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "replay_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("live_tier", sa.String(length=40), nullable=False),
        sa.Column("draft_tier", sa.String(length=40), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["replay_id"],
            ["policy_replay.id"],
            name=op.f("fk_policy_replay_difference_replay_id_policy_replay"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_replay_difference")),
    )
    with op.batch_alter_table("policy_replay_difference", schema=None) as batch_op:
        batch_op.create_index(
            "ix_policy_replay_difference_replay", ["replay_id", "id"], unique=False
        )

    op.create_table(
        "policy_replay_move",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "replay_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "track",
            sa.Enum(
                "draft",
                "live",
                name="replaytrack",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "joined",
                "promoted",
                "grace_began",
                "grace_ended",
                "demoted",
                "overridden",
                "override_ended",
                "confirmed",
                "lapsed",
                "ended",
                "type_changed",
                name="movekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_tier", sa.String(length=40), nullable=True),
        sa.Column("to_tier", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["replay_id"],
            ["policy_replay.id"],
            name=op.f("fk_policy_replay_move_replay_id_policy_replay"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_replay_move")),
    )
    with op.batch_alter_table("policy_replay_move", schema=None) as batch_op:
        batch_op.create_index(
            "ix_policy_replay_move_replay", ["replay_id", "track", "at", "id"], unique=False
        )

    op.create_table(
        "report_sending",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["activity_report.id"],
            name=op.f("fk_report_sending_report_id_activity_report"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_sending")),
        sa.UniqueConstraint("key", name=op.f("uq_report_sending_key")),
    )
    with op.batch_alter_table("report_sending", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_report_sending_report_id"), ["report_id"], unique=False
        )

    op.create_table(
        "reviewer_assignment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "assigned_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_reviewer_assignment_application_id_application"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_reviewer_assignment_user_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewer_assignment")),
        sa.UniqueConstraint(
            "application_id", "user_id", name=op.f("uq_reviewer_assignment_application_id_user_id")
        ),
    )
    with op.batch_alter_table("reviewer_assignment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reviewer_assignment_user_id"), ["user_id"], unique=False
        )

    op.create_table(
        "round_place",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "offered",
                "active",
                "completed",
                "ended",
                name="placestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("award", sa.BigInteger(), nullable=False),
        sa.Column(
            "mentor_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "completed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_round_place_application_id_application"),
        ),
        sa.ForeignKeyConstraint(
            ["mentor_user_id"],
            ["user_account.id"],
            name=op.f("fk_round_place_mentor_user_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_round_place_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["program_round.id"], name=op.f("fk_round_place_round_id_program_round")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_place")),
        sa.UniqueConstraint("application_id", name=op.f("uq_round_place_application_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_round_place_public_id")),
    )
    with op.batch_alter_table("round_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_round_place_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_round_place_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_round_place_round_id"), ["round_id"], unique=False)

    op.create_table(
        "royalty_invoice",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "credit_note",
                name="royaltykind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "corrects_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "base",
            sa.Enum(
                "measured",
                "reported",
                name="royaltybase",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("base_amount", sa.BigInteger(), nullable=False),
        sa.Column("royalty_bps", sa.Integer(), nullable=False),
        sa.Column("minimum_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("parties", sa.JSON(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("paid_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "issued_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"],
            ["royalty_invoice.id"],
            name=op.f("fk_royalty_invoice_corrects_id_royalty_invoice"),
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["territory_grant.id"],
            name=op.f("fk_royalty_invoice_grant_id_territory_grant"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_royalty_invoice_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_royalty_invoice")),
        sa.UniqueConstraint("cause", name=op.f("uq_royalty_invoice_cause")),
        sa.UniqueConstraint("number", name=op.f("uq_royalty_invoice_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_royalty_invoice_public_id")),
    )
    with op.batch_alter_table("royalty_invoice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_royalty_invoice_corrects_id"), ["corrects_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_royalty_invoice_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_royalty_invoice_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            "uq_royalty_invoice_month",
            ["organization_id", "month"],
            unique=True,
            sqlite_where=sa.text("kind = 'invoice'"),
            postgresql_where=sa.text("kind = 'invoice'"),
        )

    op.create_table(
        "service_evidence",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "service_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "sla_report",
                "audit",
                "customer",
                "incident",
                name="evidencekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("response_minutes", sa.Integer(), nullable=True),
        sa.Column("availability_bps", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("content_type", sa.String(length=60), nullable=False),
        sa.Column("storage_key", sa.String(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "submitted",
                "accepted",
                "returned",
                name="serviceevidencestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["managed_service.id"],
            name=op.f("fk_service_evidence_service_id_managed_service"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_evidence")),
        sa.UniqueConstraint("public_id", name=op.f("uq_service_evidence_public_id")),
    )
    with op.batch_alter_table("service_evidence", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_service_evidence_service_id"), ["service_id"], unique=False
        )
        batch_op.create_index("ix_service_evidence_state", ["state", "submitted_at"], unique=False)

    op.create_table(
        "territory_area",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["territory_grant.id"],
            name=op.f("fk_territory_area_grant_id_territory_grant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_area")),
        sa.UniqueConstraint(
            "grant_id", "country", "prefix", name=op.f("uq_territory_area_grant_id_country_prefix")
        ),
    )
    with op.batch_alter_table("territory_area", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_territory_area_country"), ["country"], unique=False)

    op.create_table(
        "territory_sales_report",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"],
            ["territory_grant.id"],
            name=op.f("fk_territory_sales_report_grant_id_territory_grant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory_sales_report")),
        sa.UniqueConstraint(
            "grant_id",
            "month",
            "version",
            name=op.f("uq_territory_sales_report_grant_id_month_version"),
        ),
    )
    op.create_table(
        "training_session",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "trainer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "withdrawn_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_training_session_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["trainer_id"], ["trainer.id"], name=op.f("fk_training_session_trainer_id_trainer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_session")),
        sa.UniqueConstraint("public_id", name=op.f("uq_training_session_public_id")),
    )
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.create_index(
            "ix_training_session_day", ["organization_id", "held_on"], unique=False
        )

    op.create_table(
        "account_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("list_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column(
            "held_since", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["account_list.id"], name=op.f("fk_account_entry_list_id_account_list")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_entry")),
        sa.UniqueConstraint("list_id", "mac", name=op.f("uq_account_entry_list_id_mac")),
    )
    with op.batch_alter_table("account_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_entry_mac"), ["mac"], unique=False)

    op.create_table(
        "campaign_expense",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "side",
            sa.Enum(
                "partner",
                "platform",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("spent_on", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=160), nullable=False),
        sa.Column("form_id", sa.String(length=40), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_expense_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_expense")),
        sa.UniqueConstraint(
            "campaign_id", "form_id", name=op.f("uq_campaign_expense_campaign_id_form_id")
        ),
    )
    with op.batch_alter_table("campaign_expense", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_expense_campaign_id"), ["campaign_id"], unique=False
        )

    op.create_table(
        "campaign_lead",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "held_by",
            sa.Enum(
                "partner",
                "platform",
                name="side",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("company", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("shares", sa.Boolean(), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("erased_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_lead_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_lead")),
        sa.UniqueConstraint(
            "campaign_id",
            "held_by",
            "email",
            name=op.f("uq_campaign_lead_campaign_id_held_by_email"),
        ),
    )
    with op.batch_alter_table("campaign_lead", schema=None) as batch_op:
        batch_op.create_index(
            "ix_campaign_lead_campaign_created", ["campaign_id", "created_at"], unique=False
        )

    op.create_table(
        "certification_evidence",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "certification_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("item_key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=True),
        sa.Column("content_type", sa.String(length=60), nullable=True),
        sa.Column("storage_key", sa.String(length=200), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "given",
                "accepted",
                "returned",
                name="evidencestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("given_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "reviewed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "reviewed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["certification_id"],
            ["certification.id"],
            name=op.f("fk_certification_evidence_certification_id_certification"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_evidence")),
        sa.UniqueConstraint(
            "certification_id",
            "item_key",
            name=op.f("uq_certification_evidence_certification_id_item_key"),
        ),
    )
    op.create_table(
        "deal_claim",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("claim_key", sa.String(length=400), nullable=False),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "claimed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "protected_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "extended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("extension_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "released_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_deal_claim_deal_id_deal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_claim")),
    )
    with op.batch_alter_table("deal_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deal_claim_deal_id"), ["deal_id"], unique=False)
        batch_op.create_index("ix_deal_claim_protected_until", ["protected_until"], unique=False)
        batch_op.create_index(
            "uq_deal_claim_live",
            ["claim_key"],
            unique=True,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )

    op.create_table(
        "deal_credit_split",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("deal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "counts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deal.id"], name=op.f("fk_deal_credit_split_deal_id_deal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_credit_split")),
        sa.UniqueConstraint(
            "deal_id", "version", name=op.f("uq_deal_credit_split_deal_id_version")
        ),
    )
    op.create_table(
        "idea_claim",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "active_idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "lapsed",
                "released",
                "fulfilled",
                name="claimstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "claimed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "protected_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "reminded_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_idea_claim_idea_id_idea")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_idea_claim_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_claim")),
        sa.UniqueConstraint("active_idea_id", name=op.f("uq_idea_claim_active_idea_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_idea_claim_public_id")),
    )
    with op.batch_alter_table("idea_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idea_claim_idea_id"), ["idea_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_idea_claim_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_idea_claim_protected_until"), ["protected_until"], unique=False
        )

    op.create_table(
        "idea_request",
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["idea.id"], name=op.f("fk_idea_request_idea_id_idea")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["integration_request.id"],
            name=op.f("fk_idea_request_request_id_integration_request"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_idea_request")),
    )
    with op.batch_alter_table("idea_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idea_request_idea_id"), ["idea_id"], unique=False)

    op.create_table(
        "idea_vote",
        sa.Column("idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_idea_vote_idea_id_idea")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_idea_vote_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_idea_vote_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("idea_id", "user_id", name=op.f("pk_idea_vote")),
    )
    op.create_table(
        "idea_watch",
        sa.Column("idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_idea_watch_idea_id_idea")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_idea_watch_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("idea_id", "user_id", name=op.f("pk_idea_watch")),
    )
    op.create_table(
        "milestone",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=160), nullable=False),
        sa.Column("due_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "submitted",
                "returned",
                "accepted",
                "missed",
                name="milestonestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("evidence_url", sa.String(length=500), nullable=False),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("paid_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["place_id"], ["round_place.id"], name=op.f("fk_milestone_place_id_round_place")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sa.UniqueConstraint("place_id", "position", name=op.f("uq_milestone_place_id_position")),
        sa.UniqueConstraint("public_id", name=op.f("uq_milestone_public_id")),
    )
    with op.batch_alter_table("milestone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_milestone_due_at"), ["due_at"], unique=False)

    op.create_table(
        "royalty_payment",
        sa.Column(
            "order_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "invoice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"],
            ["royalty_invoice.id"],
            name=op.f("fk_royalty_payment_invoice_id_royalty_invoice"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_royalty_payment")),
    )
    with op.batch_alter_table("royalty_payment", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_royalty_payment_invoice_id"), ["invoice_id"], unique=False
        )

    op.create_table(
        "terms_acceptance",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"], ["round_place.id"], name=op.f("fk_terms_acceptance_place_id_round_place")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_acceptance")),
        sa.UniqueConstraint(
            "place_id", "version", name=op.f("uq_terms_acceptance_place_id_version")
        ),
    )
    op.create_table(
        "deal_credit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("split_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "sourced",
                "assisted",
                name="creditkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["split_id"],
            ["deal_credit_split.id"],
            name=op.f("fk_deal_credit_split_id_deal_credit_split"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_credit")),
        sa.UniqueConstraint(
            "split_id",
            "organization_id",
            "kind",
            name=op.f("uq_deal_credit_split_id_organization_id_kind"),
        ),
    )
    with op.batch_alter_table("deal_credit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deal_credit_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "idea_link",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("idea_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "proof",
                "funding",
                "listing",
                name="linkkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["idea_claim.id"], name=op.f("fk_idea_link_claim_id_idea_claim")
        ),
        sa.ForeignKeyConstraint(["idea_id"], ["idea.id"], name=op.f("fk_idea_link_idea_id_idea")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_link")),
        sa.UniqueConstraint("claim_id", "kind", name=op.f("uq_idea_link_claim_id_kind")),
    )
    with op.batch_alter_table("idea_link", schema=None) as batch_op:
        batch_op.create_index("ix_idea_link_target", ["kind", "target_id"], unique=False)

    op.create_table(
        "idea_report",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "by_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["idea_claim.id"], name=op.f("fk_idea_report_claim_id_idea_claim")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_report")),
    )
    with op.batch_alter_table("idea_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idea_report_claim_id"), ["claim_id"], unique=False)

    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "unlisted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
            )
        )
        batch_op.add_column(sa.Column("unlisted_reason", sa.Text(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_listing_directory"))
        batch_op.create_index(
            "ix_listing_directory",
            ["publisher_id", "status", "published_at", "suspended_at", "unlisted_at", "popularity"],
            unique=False,
        )
    sqlite = op.get_bind().dialect.name == "sqlite"
    guards = list(SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS)
    for table in APPEND_ONLY:
        guards += (sqlite_triggers if sqlite else postgresql_triggers)(table)
    for statement in guards:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_directory")
        batch_op.create_index(
            batch_op.f("ix_listing_directory"),
            ["publisher_id", "status", "published_at", "suspended_at", "popularity"],
            unique=False,
        )
        batch_op.drop_column("unlisted_reason")
        batch_op.drop_column("unlisted_at")

    with op.batch_alter_table("idea_report", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idea_report_claim_id"))

    op.drop_table("idea_report")
    with op.batch_alter_table("idea_link", schema=None) as batch_op:
        batch_op.drop_index("ix_idea_link_target")

    op.drop_table("idea_link")
    with op.batch_alter_table("deal_credit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_credit_organization_id"))

    op.drop_table("deal_credit")
    op.drop_table("terms_acceptance")
    with op.batch_alter_table("royalty_payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_royalty_payment_invoice_id"))

    op.drop_table("royalty_payment")
    with op.batch_alter_table("milestone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_milestone_due_at"))

    op.drop_table("milestone")
    op.drop_table("idea_watch")
    op.drop_table("idea_vote")
    with op.batch_alter_table("idea_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idea_request_idea_id"))

    op.drop_table("idea_request")
    with op.batch_alter_table("idea_claim", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idea_claim_protected_until"))
        batch_op.drop_index(batch_op.f("ix_idea_claim_organization_id"))
        batch_op.drop_index(batch_op.f("ix_idea_claim_idea_id"))

    op.drop_table("idea_claim")
    op.drop_table("deal_credit_split")
    with op.batch_alter_table("deal_claim", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_deal_claim_live",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )
        batch_op.drop_index("ix_deal_claim_protected_until")
        batch_op.drop_index(batch_op.f("ix_deal_claim_deal_id"))

    op.drop_table("deal_claim")
    op.drop_table("certification_evidence")
    with op.batch_alter_table("campaign_lead", schema=None) as batch_op:
        batch_op.drop_index("ix_campaign_lead_campaign_created")

    op.drop_table("campaign_lead")
    with op.batch_alter_table("campaign_expense", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_expense_campaign_id"))

    op.drop_table("campaign_expense")
    with op.batch_alter_table("account_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_entry_mac"))

    op.drop_table("account_entry")
    with op.batch_alter_table("training_session", schema=None) as batch_op:
        batch_op.drop_index("ix_training_session_day")

    op.drop_table("training_session")
    op.drop_table("territory_sales_report")
    with op.batch_alter_table("territory_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_territory_area_country"))

    op.drop_table("territory_area")
    with op.batch_alter_table("service_evidence", schema=None) as batch_op:
        batch_op.drop_index("ix_service_evidence_state")
        batch_op.drop_index(batch_op.f("ix_service_evidence_service_id"))

    op.drop_table("service_evidence")
    with op.batch_alter_table("royalty_invoice", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_royalty_invoice_month",
            sqlite_where=sa.text("kind = 'invoice'"),
            postgresql_where=sa.text("kind = 'invoice'"),
        )
        batch_op.drop_index(batch_op.f("ix_royalty_invoice_order_id"))
        batch_op.drop_index(batch_op.f("ix_royalty_invoice_grant_id"))
        batch_op.drop_index(batch_op.f("ix_royalty_invoice_corrects_id"))

    op.drop_table("royalty_invoice")
    with op.batch_alter_table("round_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_round_place_round_id"))
        batch_op.drop_index(batch_op.f("ix_round_place_organization_id"))
        batch_op.drop_index(batch_op.f("ix_round_place_ends_at"))

    op.drop_table("round_place")
    with op.batch_alter_table("reviewer_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reviewer_assignment_user_id"))

    op.drop_table("reviewer_assignment")
    with op.batch_alter_table("report_sending", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_report_sending_report_id"))

    op.drop_table("report_sending")
    with op.batch_alter_table("policy_replay_move", schema=None) as batch_op:
        batch_op.drop_index("ix_policy_replay_move_replay")

    op.drop_table("policy_replay_move")
    with op.batch_alter_table("policy_replay_difference", schema=None) as batch_op:
        batch_op.drop_index("ix_policy_replay_difference_replay")

    op.drop_table("policy_replay_difference")
    with op.batch_alter_table("plan_activity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_activity_plan_id"))

    op.drop_table("plan_activity")
    with op.batch_alter_table("passport_recognition", schema=None) as batch_op:
        batch_op.drop_index("ix_passport_recognition_of")

    op.drop_table("passport_recognition")
    with op.batch_alter_table("lead_task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_task_lead_id"))

    op.drop_table("lead_task")
    with op.batch_alter_table("lead_offer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_lead_offer_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index(batch_op.f("ix_lead_offer_rule_id"))
        batch_op.drop_index("ix_lead_offer_partner")
        batch_op.drop_index(batch_op.f("ix_lead_offer_lead_id"))
        batch_op.drop_index("ix_lead_offer_deadline")

    op.drop_table("lead_offer")
    with op.batch_alter_table("lead_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_note_lead_id"))

    op.drop_table("lead_note")
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_join_request_organization_id"))
        batch_op.drop_index(batch_op.f("ix_join_request_email"))

    op.drop_table("join_request")
    op.drop_table("interest_conflict")
    with op.batch_alter_table("idea", schema=None) as batch_op:
        batch_op.drop_index("ix_idea_state")
        batch_op.drop_index(batch_op.f("ix_idea_listing_id"))

    op.drop_table("idea")
    with op.batch_alter_table("host_person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_host_person_host_id"))

    op.drop_table("host_person")
    with op.batch_alter_table("deal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deal_won_at"))
        batch_op.drop_index(batch_op.f("ix_deal_state"))
        batch_op.drop_index("ix_deal_owner_state")
        batch_op.drop_index(batch_op.f("ix_deal_order_id"))
        batch_op.drop_index(batch_op.f("ix_deal_listing_id"))
        batch_op.drop_index(batch_op.f("ix_deal_lead_id"))
        batch_op.drop_index(batch_op.f("ix_deal_decide_by"))
        batch_op.drop_index("ix_deal_claim_key")

    op.drop_table("deal")
    with op.batch_alter_table("credit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_credit_entry_account")

    op.drop_table("credit_entry")
    op.drop_table("course_lesson_done")
    with op.batch_alter_table("course_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_attempt_version_id"))
        batch_op.drop_index(batch_op.f("ix_course_attempt_closes_at"))

    op.drop_table("course_attempt")
    with op.batch_alter_table("contact_slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_slot_request_id"))

    op.drop_table("contact_slot")
    with op.batch_alter_table("contact_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_message_request_id"))

    op.drop_table("contact_message")
    with op.batch_alter_table("certification", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_certification_user_id"))
        batch_op.drop_index("ix_certification_state")
        batch_op.drop_index(batch_op.f("ix_certification_program_id"))
        batch_op.drop_index(batch_op.f("ix_certification_organization_id"))
        batch_op.drop_index(batch_op.f("ix_certification_listing_id"))
        batch_op.drop_index(batch_op.f("ix_certification_expires_at"))

    op.drop_table("certification")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_state"))
        batch_op.drop_index(batch_op.f("ix_campaign_organization_id"))

    op.drop_table("campaign")
    with op.batch_alter_table("application_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_review_reviewer_id"))

    op.drop_table("application_review")
    with op.batch_alter_table("application_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_application_entry_application_id"))

    op.drop_table("application_entry")
    with op.batch_alter_table("account_workspace_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_workspace_note_check_id"))

    op.drop_table("account_workspace_note")
    with op.batch_alter_table("account_receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_receipt_check_id"))

    op.drop_table("account_receipt")
    with op.batch_alter_table("account_list", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_list_expires_at"))

    op.drop_table("account_list")
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_voucher_organization_id"))
        batch_op.drop_index(batch_op.f("ix_voucher_expires_at"))

    op.drop_table("voucher")
    with op.batch_alter_table("verification_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_verification_document_organization_id"))
        batch_op.drop_index(batch_op.f("ix_verification_document_delete_at"))

    op.drop_table("verification_document")
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.drop_index("ix_verification_state")
        batch_op.drop_index(batch_op.f("ix_verification_expires_at"))

    op.drop_table("verification")
    op.drop_table("trainer")
    with op.batch_alter_table("tier_override", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tier_override_organization_id"))
        batch_op.drop_index(batch_op.f("ix_tier_override_expires_at"))

    op.drop_table("tier_override")
    with op.batch_alter_table("territory_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_territory_grant_organization_id"))

    op.drop_table("territory_grant")
    op.drop_table("start_dismissal")
    with op.batch_alter_table("standing_move", schema=None) as batch_op:
        batch_op.drop_index("ix_standing_move_organization_at")

    op.drop_table("standing_move")
    with op.batch_alter_table("standing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_standing_tier"))
        batch_op.drop_index(batch_op.f("ix_standing_state"))
        batch_op.drop_index(batch_op.f("ix_standing_provisional_until"))
        batch_op.drop_index(batch_op.f("ix_standing_grace_until"))

    op.drop_table("standing")
    with op.batch_alter_table("seat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seat_user_id"))
        batch_op.drop_index(batch_op.f("ix_seat_organization_id"))
        batch_op.drop_index(batch_op.f("ix_seat_lab_id"))

    op.drop_table("seat")
    op.drop_table("round_terms")
    with op.batch_alter_table("program_manager", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_program_manager_user_id"))
        batch_op.drop_index(batch_op.f("ix_program_manager_confirm_by"))

    op.drop_table("program_manager")
    op.drop_table("procurement_profile")
    with op.batch_alter_table("policy_replay", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_replay_state"))

    op.drop_table("policy_replay")
    with op.batch_alter_table("passport_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passport_import_organization_id"))

    op.drop_table("passport_import")
    with op.batch_alter_table("passport_export", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passport_export_organization_id"))

    op.drop_table("passport_export")
    with op.batch_alter_table("partner_task", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_task_due")

    op.drop_table("partner_task")
    with op.batch_alter_table("partner_message", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_message_organization")

    op.drop_table("partner_message")
    with op.batch_alter_table("partner_invite", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_partner_invite_inviter_id"))

    op.drop_table("partner_invite")
    with op.batch_alter_table("mapped_host", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mapped_host_state"))
        batch_op.drop_index(batch_op.f("ix_mapped_host_organization_id"))

    op.drop_table("mapped_host")
    with op.batch_alter_table("managed_service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_managed_service_organization_id"))

    op.drop_table("managed_service")
    with op.batch_alter_table("listing_authorization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_authorization_organization_id"))
        batch_op.drop_index(batch_op.f("ix_listing_authorization_listing_id"))
        batch_op.drop_index(batch_op.f("ix_listing_authorization_level"))
        batch_op.drop_index(batch_op.f("ix_listing_authorization_expires_on"))
        batch_op.drop_index("ix_listing_authorization_check")

    op.drop_table("listing_authorization")
    with op.batch_alter_table("lead_import", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_import_organization_id"))

    op.drop_table("lead_import")
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_state"))
        batch_op.drop_index("ix_lead_owner_stage")
        batch_op.drop_index(batch_op.f("ix_lead_owner_id"))
        batch_op.drop_index(batch_op.f("ix_lead_listing_id"))
        batch_op.drop_index(batch_op.f("ix_lead_email_key"))
        batch_op.drop_index(batch_op.f("ix_lead_duplicate_of_id"))
        batch_op.drop_index(batch_op.f("ix_lead_domain_key"))
        batch_op.drop_index(batch_op.f("ix_lead_customer_organization_id"))
        batch_op.drop_index(batch_op.f("ix_lead_created_at"))
        batch_op.drop_index(batch_op.f("ix_lead_country"))

    op.drop_table("lead")
    with op.batch_alter_table("join_ask", schema=None) as batch_op:
        batch_op.drop_index("ix_join_ask_organization")

    op.drop_table("join_ask")
    with op.batch_alter_table("evaluation", schema=None) as batch_op:
        batch_op.drop_index("ix_evaluation_organization_at")

    op.drop_table("evaluation")
    with op.batch_alter_table("domain_proof", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_domain_proof_organization_id"))
        batch_op.drop_index(batch_op.f("ix_domain_proof_next_check_at"))
        batch_op.drop_index(batch_op.f("ix_domain_proof_domain"))

    op.drop_table("domain_proof")
    op.drop_table("credit_account")
    with op.batch_alter_table("credential", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credential_user_id"))
        batch_op.drop_index("ix_credential_revoked")
        batch_op.drop_index("ix_credential_organization_user")
        batch_op.drop_index(batch_op.f("ix_credential_expires_at"))
        batch_op.drop_index(batch_op.f("ix_credential_achievement"))

    op.drop_table("credential")
    op.drop_table("course_version")
    with op.batch_alter_table("course_enrolment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_enrolment_organization_id"))

    op.drop_table("course_enrolment")
    with op.batch_alter_table("contact_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_request_organization_id"))
        batch_op.drop_index("ix_contact_request_inbox")
        batch_op.drop_index("ix_contact_request_due")

    op.drop_table("contact_request")
    with op.batch_alter_table("contact_made", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_made_organization")

    op.drop_table("contact_made")
    with op.batch_alter_table("contact_assignment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_assignment_user_id"))
        batch_op.drop_index(batch_op.f("ix_contact_assignment_organization_id"))

    op.drop_table("contact_assignment")
    op.drop_table("contact_absence")
    with op.batch_alter_table("client_workspace", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_client_workspace_partner_id"))

    op.drop_table("client_workspace")
    op.drop_table("certification_checklist")
    with op.batch_alter_table("business_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_business_plan_submitted_at"))

    op.drop_table("business_plan")
    op.drop_table("benefit_year")
    with op.batch_alter_table("benefit_claim", schema=None) as batch_op:
        batch_op.drop_index("ix_benefit_claim_state")
        batch_op.drop_index("ix_benefit_claim_organization")

    op.drop_table("benefit_claim")
    with op.batch_alter_table("application", schema=None) as batch_op:
        batch_op.drop_index("ix_application_state_queued")
        batch_op.drop_index(batch_op.f("ix_application_round_id"))
        batch_op.drop_index(batch_op.f("ix_application_queued_at"))
        batch_op.drop_index(batch_op.f("ix_application_promised_until"))
        batch_op.drop_index("ix_application_organization_kind")
        batch_op.drop_index(batch_op.f("ix_application_organization_id"))
        batch_op.drop_index(batch_op.f("ix_application_kind"))

    op.drop_table("application")
    with op.batch_alter_table("activity_report", schema=None) as batch_op:
        batch_op.drop_index("ix_activity_report_organization")
        batch_op.drop_index(batch_op.f("ix_activity_report_month"))

    op.drop_table("activity_report")
    with op.batch_alter_table("account_check", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_account_check_pair",
            sqlite_where=sa.text("state IN ('invited', 'accepted')"),
            postgresql_where=sa.text("state IN ('invited', 'accepted')"),
        )
        batch_op.drop_index(batch_op.f("ix_account_check_inviter_id"))
        batch_op.drop_index(batch_op.f("ix_account_check_invitee_id"))

    op.drop_table("account_check")
    op.drop_table("visitor_salt")
    op.drop_table("territory_lock")
    op.drop_table("royalty_counter")
    op.drop_table("report_schedule")
    with op.batch_alter_table("program_round", schema=None) as batch_op:
        batch_op.drop_index("ix_program_round_state")
        batch_op.drop_index(batch_op.f("ix_program_round_closes_at"))

    op.drop_table("program_round")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_index("ix_policy_version_state")
        batch_op.drop_index(batch_op.f("ix_policy_version_effective_at"))

    op.drop_table("policy_version")
    op.drop_table("passport_issuer")
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.drop_index("ix_measurement_source")
        batch_op.drop_index("ix_measurement_series")
        batch_op.drop_index("ix_measurement_recorded_at")
        batch_op.drop_index("ix_measurement_measure")

    op.drop_table("measurement")
    with op.batch_alter_table("lead_routing_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_routing_rule_position"))

    op.drop_table("lead_routing_rule")
    with op.batch_alter_table("lead_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lead_event_lead_id"))

    op.drop_table("lead_event")
    op.drop_table("exposure_sighting")
    with op.batch_alter_table("exposure_count", schema=None) as batch_op:
        batch_op.drop_index("ix_exposure_count_organization")

    op.drop_table("exposure_count")
    op.drop_table("credential_signing_key")
    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_course_state"))

    op.drop_table("course")
    op.drop_table("contact_region")
    op.drop_table("chain_check")
    op.drop_table("certification_program")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS row_is_append_only()")
        op.execute("DROP FUNCTION IF EXISTS policy_version_stays()")
    op.drop_table("program_reminder")
    op.drop_table("policy_preview_move")
    op.drop_table("policy_preview")
    op.drop_table("deal_import")
