"""catalogue and identity."""

import sqlalchemy as sa
from alembic import op

import marketplace.core.database
from marketplace.core.facts import POSTGRESQL_TRIGGERS, SQLITE_TRIGGERS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "category",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("icon", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_table(
        "collection",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection")),
        sa.UniqueConstraint("slug", name=op.f("uq_collection_slug")),
    )
    op.create_table(
        "fact",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column(
            "actor_user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=True),
        sa.Column(
            "happened_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
        sa.UniqueConstraint("hash", name=op.f("uq_fact_hash")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_fact_idempotency_key")),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fact_kind"), ["kind"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_fact_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index("ix_fact_subject", ["subject_type", "subject_id"], unique=False)

    op.create_table(
        "job",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("dedupe_key", sa.String(length=160), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "ready",
                "running",
                "done",
                "dead",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("run_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_id", sa.String(length=36), nullable=True),
        sa.Column(
            "lease_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_job_dedupe_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_kind"), ["kind"], unique=False)
        batch_op.create_index("ix_job_state_run_at", ["state", "run_at"], unique=False)

    op.create_table(
        "organization",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "customer",
                "partner",
                "platform",
                name="organizationkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("partner_type", sa.String(length=40), nullable=True),
        sa.Column("tagline", sa.String(length=120), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("website", sa.String(length=500), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("brand_color", sa.String(length=7), nullable=True),
        sa.Column("logo_key", sa.String(length=200), nullable=True),
        sa.Column(
            "verified_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "suspended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("slug", name=op.f("uq_organization_slug")),
    )
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_kind"), ["kind"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_organization_partner_type"), ["partner_type"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_organization_updated_at"), ["updated_at"], unique=False
        )

    op.create_table(
        "search_query_stat",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("query", sa.String(length=80), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("zero_results", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.Column("click_position_sum", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "query", name=op.f("pk_search_query_stat")),
    )
    with op.batch_alter_table("search_query_stat", schema=None) as batch_op:
        batch_op.create_index(
            "ix_search_query_stat_day_searches", ["day", "searches"], unique=False
        )

    op.create_table(
        "synonym_group",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonym_group")),
    )
    op.create_table(
        "user_account",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "deactivated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
    )
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_account_email"), ["email"], unique=False)

    op.create_table(
        "asset",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_asset_created_by_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_asset_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("organization_id", "key", name=op.f("uq_asset_organization_id_key")),
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_key"), ["key"], unique=False)

    op.create_table(
        "category_redirect",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["category.id"],
            name=op.f("fk_category_redirect_category_id_category"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_category_redirect")),
    )
    with op.batch_alter_table("category_redirect", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_category_redirect_category_id"), ["category_id"], unique=False
        )

    op.create_table(
        "fact_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["fact_id"], ["fact.id"], name=op.f("fk_fact_head_fact_id_fact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact_head")),
    )
    op.create_table(
        "identity",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "last_used_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_identity_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identity_issuer_subject")),
    )
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_user_id"), ["user_id"], unique=False)

    op.create_table(
        "invitation",
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
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "admin",
                "editor",
                "developer",
                "finance",
                "viewer",
                "reviewer",
                "program_manager",
                "support",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "invited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "accepted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "revoked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"],
            ["user_account.id"],
            name=op.f("fk_invitation_invited_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_invitation_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_invitation_organization_email", ["organization_id", "email"], unique=False
        )

    op.create_table(
        "listing",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "beta",
                "deprecated",
                "withdrawn",
                name="listingstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column(
            "successor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("tagline", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("pricing_model", sa.String(length=20), nullable=False),
        sa.Column("logo_key", sa.String(length=200), nullable=True),
        sa.Column("brand_color", sa.String(length=7), nullable=True),
        sa.Column(
            "published_revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "content_updated_at",
            marketplace.core.database.UtcDateTime(timezone=True),
            nullable=True,
        ),
        sa.Column(
            "suspended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("suspended_reason", sa.Text(), nullable=True),
        sa.Column(
            "certified_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("use_count", sa.Integer(), nullable=False),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.Column("rating_sum", sa.Integer(), nullable=False),
        sa.Column("rating_hundredths", sa.Integer(), nullable=False),
        sa.Column("popularity", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=True),
        sa.Column("import_digest", sa.String(length=40), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_revision_id"],
            ["revision.id"],
            name=op.f("fk_listing_published_revision_id_revision"),
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["organization.id"], name=op.f("fk_listing_publisher_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["listing.id"], name=op.f("fk_listing_successor_id_listing")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing")),
        sa.UniqueConstraint("slug", name=op.f("uq_listing_slug")),
    )
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_directory",
            ["publisher_id", "status", "published_at", "suspended_at", "popularity"],
            unique=False,
        )
        batch_op.create_index("ix_listing_name", ["name"], unique=False)
        batch_op.create_index("ix_listing_popularity", ["popularity", "id"], unique=False)
        batch_op.create_index("ix_listing_published_at", ["published_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_publisher_id"), ["publisher_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_listing_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "membership",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "admin",
                "editor",
                "developer",
                "finance",
                "viewer",
                "reviewer",
                "program_manager",
                "support",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_membership_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint(
            "user_id", "organization_id", name=op.f("uq_membership_user_id_organization_id")
        ),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_membership_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "abuse_case",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reporter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reporter_email", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "investigating",
                "dismissed",
                "suspended",
                "reinstated",
                name="casestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column(
            "assigned_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to_id"],
            ["user_account.id"],
            name=op.f("fk_abuse_case_assigned_to_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user_account.id"],
            name=op.f("fk_abuse_case_decided_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_abuse_case_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["user_account.id"],
            name=op.f("fk_abuse_case_reporter_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_abuse_case")),
        sa.UniqueConstraint("number", name=op.f("uq_abuse_case_number")),
    )
    with op.batch_alter_table("abuse_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_abuse_case_listing_id"), ["listing_id"], unique=False)

    op.create_table(
        "collection_item",
        sa.Column(
            "collection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("blurb", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collection.id"],
            name=op.f("fk_collection_item_collection_id_collection"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_collection_item_listing_id_listing")
        ),
        sa.PrimaryKeyConstraint("collection_id", "listing_id", name=op.f("pk_collection_item")),
    )
    with op.batch_alter_table("collection_item", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_collection_item_listing_id"), ["listing_id"], unique=False
        )

    op.create_table(
        "follow",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("told_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(listing_id IS NULL) <> (publisher_id IS NULL)",
            name=op.f("ck_follow_one_thing_is_followed"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_follow_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["publisher_id"], ["organization.id"], name=op.f("fk_follow_publisher_id_organization")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_follow_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow")),
        sa.UniqueConstraint("user_id", "listing_id", name=op.f("uq_follow_user_id_listing_id")),
        sa.UniqueConstraint("user_id", "publisher_id", name=op.f("uq_follow_user_id_publisher_id")),
    )
    with op.batch_alter_table("follow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_publisher_id"), ["publisher_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_user_id"), ["user_id"], unique=False)

    op.create_table(
        "integration_request",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=80), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "planned",
                "building",
                "listed",
                "declined",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("state_note", sa.Text(), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "requested_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("vote_count", sa.Integer(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_integration_request_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"],
            ["user_account.id"],
            name=op.f("fk_integration_request_requested_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_request")),
        sa.UniqueConstraint("name_key", name=op.f("uq_integration_request_name_key")),
    )
    with op.batch_alter_table("integration_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_integration_request_vote_count"), ["vote_count"], unique=False
        )

    op.create_table(
        "listing_category",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "category_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_listing_category_category_id_category")
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listing.id"],
            name=op.f("fk_listing_category_listing_id_listing"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("listing_id", "category_id", name=op.f("pk_listing_category")),
    )
    with op.batch_alter_table("listing_category", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_listing_category_category_id"), ["category_id"], unique=False
        )

    op.create_table(
        "listing_review",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "published",
                "removed",
                name="reviewstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("removed_reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "answered_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "answered_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("edited_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_listing_review_rating_range")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"],
            ["user_account.id"],
            name=op.f("fk_listing_review_answered_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_listing_review_author_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_review_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_listing_review_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_review")),
        sa.UniqueConstraint(
            "listing_id",
            "organization_id",
            name=op.f("uq_listing_review_listing_id_organization_id"),
        ),
    )
    with op.batch_alter_table("listing_review", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_review_listing_created", ["listing_id", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_listing_review_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "listing_use",
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "declared_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("since", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["declared_by_id"],
            ["user_account.id"],
            name=op.f("fk_listing_use_declared_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_listing_use_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_listing_use_organization_id_organization"),
        ),
        sa.PrimaryKeyConstraint("listing_id", "organization_id", name=op.f("pk_listing_use")),
    )
    with op.batch_alter_table("listing_use", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_listing_use_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "listing_version",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("released_on", sa.Date(), nullable=False),
        sa.Column("changelog", sa.Text(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "changed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "checked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "checked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["checked_by_id"],
            ["user_account.id"],
            name=op.f("fk_listing_version_checked_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f("fk_listing_version_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"],
            ["listing.id"],
            name=op.f("fk_listing_version_listing_id_listing"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_version")),
        sa.UniqueConstraint(
            "listing_id", "version", name=op.f("uq_listing_version_listing_id_version")
        ),
    )
    with op.batch_alter_table("listing_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_listing_version_checked_at", ["checked_at", "changed_at"], unique=False
        )

    op.create_table(
        "revision",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "in_review",
                "changes_requested",
                "approved",
                "published",
                "discarded",
                name="revisionstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("base_content", sa.JSON(), nullable=False),
        sa.Column("lock_version", sa.Integer(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "submitted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "first_approval_by_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("changed_fields", sa.JSON(), nullable=False),
        sa.Column("review_reasons", sa.JSON(), nullable=False),
        sa.Column("needs_second_approval", sa.Boolean(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.Column(
            "sample_checked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("checklist", sa.JSON(), nullable=False),
        sa.Column("note_to_reviewer", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "submitted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "review_started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"],
            ["user_account.id"],
            name=op.f("fk_revision_created_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["first_approval_by_id"],
            ["user_account.id"],
            name=op.f("fk_revision_first_approval_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_revision_listing_id_listing")
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["user_account.id"], name=op.f("fk_revision_reviewer_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"],
            ["user_account.id"],
            name=op.f("fk_revision_submitted_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"],
            ["user_account.id"],
            name=op.f("fk_revision_updated_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("listing_id", "number", name=op.f("uq_revision_listing_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(
            "ix_revision_state_submitted_at", ["state", "submitted_at"], unique=False
        )
        batch_op.create_index(
            "uq_revision_open",
            ["listing_id"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('published', 'discarded')"),
            postgresql_where=sa.text("state NOT IN ('published', 'discarded')"),
        )

    op.create_table(
        "slug_redirect",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["listing_id"], ["listing.id"], name=op.f("fk_slug_redirect_listing_id_listing")
        ),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_slug_redirect")),
    )
    with op.batch_alter_table("slug_redirect", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_slug_redirect_listing_id"), ["listing_id"], unique=False
        )

    op.create_table(
        "user_session",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "identity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("ip_address", sa.String(length=45), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "last_seen_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "revoked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identity.id"], name=op.f("fk_user_session_identity_id_identity")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_user_session_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "appeal",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "granted",
                "denied",
                name="appealstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decision_reason", sa.Text(), nullable=False),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user_account.id"], name=op.f("fk_appeal_author_id_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["abuse_case.id"], name=op.f("fk_appeal_case_id_abuse_case")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user_account.id"],
            name=op.f("fk_appeal_decided_by_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appeal_case_id"), ["case_id"], unique=False)

    op.create_table(
        "request_vote",
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_request_vote_organization_id_organization"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["integration_request.id"],
            name=op.f("fk_request_vote_request_id_integration_request"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_request_vote_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("request_id", "user_id", name=op.f("pk_request_vote")),
    )
    op.create_table(
        "review_flag",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "upheld",
                "dismissed",
                name="flagstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["user_account.id"],
            name=op.f("fk_review_flag_decided_by_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["listing_review.id"],
            name=op.f("fk_review_flag_review_id_listing_review"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_review_flag_user_id_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_flag")),
        sa.UniqueConstraint("review_id", "user_id", name=op.f("uq_review_flag_review_id_user_id")),
    )
    op.create_table(
        "revision_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("field_notes", sa.JSON(), nullable=False),
        sa.Column("for_partner", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_revision_event_author_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_revision_event_revision_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision_event")),
    )
    with op.batch_alter_table("revision_event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_revision_event_revision_id"), ["revision_id"], unique=False
        )

    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)
    if not sqlite:
        # Listing and revision refer to each other; SQLite has this key in the table already.
        op.create_foreign_key(
            "fk_listing_published_revision_id_revision",
            "listing",
            "revision",
            ["published_revision_id"],
            ["id"],
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER fact_refuses_change ON fact")
        op.execute("DROP FUNCTION fact_is_append_only()")
        op.drop_constraint("fk_listing_published_revision_id_revision", "listing")
    with op.batch_alter_table("revision_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_event_revision_id"))

    op.drop_table("revision_event")
    op.drop_table("review_flag")
    op.drop_table("request_vote")
    with op.batch_alter_table("appeal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appeal_case_id"))

    op.drop_table("appeal")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_session_user_id"))

    op.drop_table("user_session")
    with op.batch_alter_table("slug_redirect", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slug_redirect_listing_id"))

    op.drop_table("slug_redirect")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_revision_open",
            sqlite_where=sa.text("state NOT IN ('published', 'discarded')"),
            postgresql_where=sa.text("state NOT IN ('published', 'discarded')"),
        )
        batch_op.drop_index("ix_revision_state_submitted_at")

    op.drop_table("revision")
    with op.batch_alter_table("listing_version", schema=None) as batch_op:
        batch_op.drop_index("ix_listing_version_checked_at")

    op.drop_table("listing_version")
    with op.batch_alter_table("listing_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_use_organization_id"))

    op.drop_table("listing_use")
    with op.batch_alter_table("listing_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_review_organization_id"))
        batch_op.drop_index("ix_listing_review_listing_created")

    op.drop_table("listing_review")
    with op.batch_alter_table("listing_category", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_category_category_id"))

    op.drop_table("listing_category")
    with op.batch_alter_table("integration_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_integration_request_vote_count"))

    op.drop_table("integration_request")
    with op.batch_alter_table("follow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_user_id"))
        batch_op.drop_index(batch_op.f("ix_follow_publisher_id"))
        batch_op.drop_index(batch_op.f("ix_follow_listing_id"))

    op.drop_table("follow")
    with op.batch_alter_table("collection_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_item_listing_id"))

    op.drop_table("collection_item")
    with op.batch_alter_table("abuse_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_abuse_case_listing_id"))

    op.drop_table("abuse_case")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_organization_id"))

    op.drop_table("membership")
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_listing_updated_at"))
        batch_op.drop_index(batch_op.f("ix_listing_publisher_id"))
        batch_op.drop_index("ix_listing_published_at")
        batch_op.drop_index("ix_listing_popularity")
        batch_op.drop_index("ix_listing_name")
        batch_op.drop_index("ix_listing_directory")

    op.drop_table("listing")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index("ix_invitation_organization_email")

    op.drop_table("invitation")
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_user_id"))

    op.drop_table("identity")
    op.drop_table("fact_head")
    with op.batch_alter_table("category_redirect", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_category_redirect_category_id"))

    op.drop_table("category_redirect")
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_key"))

    op.drop_table("asset")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_account_email"))

    op.drop_table("user_account")
    op.drop_table("synonym_group")
    with op.batch_alter_table("search_query_stat", schema=None) as batch_op:
        batch_op.drop_index("ix_search_query_stat_day_searches")

    op.drop_table("search_query_stat")
    with op.batch_alter_table("organization", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_updated_at"))
        batch_op.drop_index(batch_op.f("ix_organization_partner_type"))
        batch_op.drop_index(batch_op.f("ix_organization_kind"))

    op.drop_table("organization")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_state_run_at")
        batch_op.drop_index(batch_op.f("ix_job_kind"))

    op.drop_table("job")
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.drop_index("ix_fact_subject")
        batch_op.drop_index(batch_op.f("ix_fact_organization_id"))
        batch_op.drop_index(batch_op.f("ix_fact_kind"))

    op.drop_table("fact")
    op.drop_table("collection")
    op.drop_table("category")
