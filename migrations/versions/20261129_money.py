"""The money: ledger, orders, earnings, payouts, reconciliation."""

import sqlalchemy as sa
from alembic import op

import marketplace.core.database
from billing.models.ledger import (
    POSTGRESQL_FUNCTIONS,
    POSTGRESQL_TRIGGERS,
    SQLITE_TRIGGERS,
)

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "affiliate_program",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column(
            "attribution",
            sa.Enum(
                "first_click",
                "last_click",
                name="attributionmodel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("minimum_payout", sa.BigInteger(), nullable=False),
        sa.Column("minimum_currency", sa.String(length=3), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("paused_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_program")),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliate_program_public_id")),
    )
    with op.batch_alter_table("affiliate_program", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_affiliate_program_listing_id"), ["listing_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_affiliate_program_publisher_id"), ["publisher_id"], unique=False
        )

    op.create_table(
        "balance_txn",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("exchange_rate", sa.String(length=30), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "available_on", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("stripe_payout_id", sa.String(length=100), nullable=True),
        sa.Column("order_reference", sa.String(length=100), nullable=True),
        sa.Column(
            "mirrored_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_txn")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_balance_txn_stripe_id")),
    )
    with op.batch_alter_table("balance_txn", schema=None) as batch_op:
        batch_op.create_index("ix_balance_txn_created", ["created_at"], unique=False)
        batch_op.create_index("ix_balance_txn_payout", ["stripe_payout_id"], unique=False)
        batch_op.create_index("ix_balance_txn_source", ["source_id"], unique=False)

    op.create_table(
        "balance_conversion",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "side",
            sa.Enum(
                "payable",
                "owed",
                name="convertedside",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_currency", sa.String(length=3), nullable=False),
        sa.Column("to_currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("to_amount", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.String(length=20), nullable=False),
        sa.Column("rate_source", sa.String(length=200), nullable=False),
        sa.Column("gain", sa.BigInteger(), nullable=True),
        sa.Column(
            "requested_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "requested_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_conversion")),
    )
    with op.batch_alter_table("balance_conversion", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_balance_conversion_partner_id"), ["partner_id"], unique=False
        )
        batch_op.create_index(
            "uq_balance_conversion_open",
            ["partner_id", "from_currency", "side"],
            unique=True,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    op.create_table(
        "bank_import",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_format", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening_balance", sa.BigInteger(), nullable=True),
        sa.Column("closing_balance", sa.BigInteger(), nullable=True),
        sa.Column("covers_from", sa.Date(), nullable=True),
        sa.Column("covers_to", sa.Date(), nullable=True),
        sa.Column("lines_new", sa.Integer(), nullable=False),
        sa.Column("lines_known", sa.Integer(), nullable=False),
        sa.Column(
            "imported_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "imported_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_import")),
        sa.UniqueConstraint("sha256", name=op.f("uq_bank_import_sha256")),
    )
    op.create_table(
        "bank_rule",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("contains", sa.String(length=140), nullable=False),
        sa.Column("lacks", sa.String(length=140), nullable=False),
        sa.Column("account", sa.String(length=60), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("amount_from", sa.BigInteger(), nullable=True),
        sa.Column("amount_to", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("is_standing", sa.Boolean(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "removed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "removed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_rule")),
    )
    op.create_table(
        "billing_profile",
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("legal_name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address_line", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("tax_id", sa.String(length=30), nullable=False),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_billing_profile")),
    )
    op.create_table(
        "connected_account",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=False),
        sa.Column("api", sa.String(length=4), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "onboarding",
                "ready",
                "restricted",
                "disconnected",
                name="accountstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("default_currency", sa.String(length=3), nullable=True),
        sa.Column("currencies", sa.JSON(), nullable=False),
        sa.Column("requirements", sa.JSON(), nullable=False),
        sa.Column("restriction", sa.String(length=300), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "checked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "disconnected_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connected_account")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_connected_account_stripe_id")),
    )
    with op.batch_alter_table("connected_account", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_connected_account_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(
            "uq_connected_account_live",
            ["organization_id"],
            unique=True,
            sqlite_where=sa.text("disconnected_at IS NULL"),
            postgresql_where=sa.text("disconnected_at IS NULL"),
        )

    op.create_table(
        "discount",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "percent",
                "fixed",
                name="discountkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column(
            "funder",
            sa.Enum(
                "publisher",
                "platform",
                name="funder",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("listing_ids", sa.JSON(), nullable=False),
        sa.Column("plan_ids", sa.JSON(), nullable=False),
        sa.Column("tiers", sa.JSON(), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("is_stackable", sa.Boolean(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("max_uses_each", sa.Integer(), nullable=True),
        sa.Column("minimum", sa.BigInteger(), nullable=False),
        sa.Column(
            "starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "archived_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount")),
        sa.UniqueConstraint("public_id", name=op.f("uq_discount_public_id")),
    )
    with op.batch_alter_table("discount", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_discount_publisher_id"), ["publisher_id"], unique=False
        )

    op.create_table(
        "fee_schedule",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "published",
                name="schedulestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "effective_from", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "published_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "published_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_schedule")),
        sa.UniqueConstraint("version", name=op.f("uq_fee_schedule_version")),
    )
    with op.batch_alter_table("fee_schedule", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_fee_schedule_effective_from"), ["effective_from"], unique=False
        )

    op.create_table(
        "invoice_counter",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_invoice_counter")),
    )
    op.create_table(
        "ledger_account",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "normal_side",
            sa.Enum(
                "debit", "credit", name="side", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        sa.UniqueConstraint(
            "code", "owner", "currency", name=op.f("uq_ledger_account_code_owner_currency")
        ),
    )
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_account_owner"), ["owner"], unique=False)

    op.create_table(
        "payout_run",
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
                "computed",
                "approved",
                "executing",
                "completed",
                "completed_with_errors",
                "aborted",
                name="runstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("open_slot", sa.Integer(), nullable=True),
        sa.Column(
            "cutoff_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "computed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "computed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "approved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "approved_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("approved_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("aborted_reason", sa.String(length=300), nullable=False),
        sa.Column("stalled_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "stalled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("short", sa.JSON(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_run")),
        sa.UniqueConstraint("open_slot", name=op.f("uq_payout_run_open_slot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_run_public_id")),
    )
    with op.batch_alter_table("payout_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_run_state"), ["state"], unique=False)

    op.create_table(
        "payout_setting",
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("minimums", sa.JSON(), nullable=False),
        sa.Column("caps", sa.JSON(), nullable=False),
        sa.Column("frozen_reason", sa.String(length=300), nullable=False),
        sa.Column(
            "frozen_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("frozen_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_payout_setting")),
    )
    op.create_table(
        "period",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("code", sa.String(length=7), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "closed",
                name="periodstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("closed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("closing", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
        sa.UniqueConstraint("code", name=op.f("uq_period_code")),
    )
    op.create_table(
        "plan",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "billing",
            sa.Enum(
                "free",
                "one_time",
                "monthly",
                "yearly",
                name="planbilling",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_per_seat", sa.Boolean(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "active",
                "archived",
                name="planstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "activated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("stripe_product_id", sa.String(length=100), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("listing_id", "code", name=op.f("uq_plan_listing_id_code")),
        sa.UniqueConstraint("public_id", name=op.f("uq_plan_public_id")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_publisher_id"), ["publisher_id"], unique=False)

    op.create_table(
        "recon_match",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("left_type", sa.String(length=20), nullable=False),
        sa.Column("left_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("right_type", sa.String(length=20), nullable=False),
        sa.Column("right_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column(
            "matched_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "matched_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_match")),
    )
    with op.batch_alter_table("recon_match", schema=None) as batch_op:
        batch_op.create_index("ix_recon_match_right", ["right_type", "right_id"], unique=False)
        batch_op.create_index(
            "uq_recon_match_pair", ["left_type", "left_id", "right_type", "right_id"], unique=True
        )

    op.create_table(
        "recon_run",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "window_start", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "window_end", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("cursor", sa.String(length=100), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("slot", sa.String(length=10), nullable=True),
        sa.Column(
            "started_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "started_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_run")),
        sa.UniqueConstraint("slot", name=op.f("uq_recon_run_slot")),
    )
    op.create_table(
        "stripe_cursor",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "reached_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stripe_cursor")),
    )
    op.create_table(
        "stripe_customer",
        sa.Column(
            "organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_stripe_customer")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_stripe_customer_stripe_id")),
    )
    op.create_table(
        "stripe_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("event_id", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("object_id", sa.String(length=100), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "processing",
                "done",
                "deferred",
                "dead",
                "set_aside",
                name="eventstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column(
            "happened_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "received_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "next_attempt_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "handled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_event")),
        sa.UniqueConstraint("account", "event_id", name=op.f("uq_stripe_event_account_event_id")),
    )
    with op.batch_alter_table("stripe_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stripe_event_object_id"), ["object_id"], unique=False)
        batch_op.create_index("ix_stripe_event_state", ["state", "next_attempt_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_stripe_event_type"), ["type"], unique=False)

    op.create_table(
        "stripe_op",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("idem_key", sa.String(length=160), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "intended",
                "sent",
                "succeeded",
                "rejected",
                "unknown",
                name="operationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.String(length=80), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("sent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "finished_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_op")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_stripe_op_idem_key")),
    )
    with op.batch_alter_table("stripe_op", schema=None) as batch_op:
        batch_op.create_index("ix_stripe_op_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stripe_op_stripe_id"), ["stripe_id"], unique=False)

    op.create_table(
        "stripe_payout",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("arrival_on", sa.Date(), nullable=False),
        sa.Column("trace_id", sa.String(length=100), nullable=False),
        sa.Column("reconciliation", sa.String(length=20), nullable=False),
        sa.Column(
            "members_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "mirrored_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_payout")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_stripe_payout_stripe_id")),
    )
    with op.batch_alter_table("stripe_payout", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stripe_payout_trace_id"), ["trace_id"], unique=False)

    op.create_table(
        "tax_rate",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("has_reverse_charge", sa.Boolean(), nullable=False),
        sa.Column(
            "effective_from", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=True),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rate")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_tax_rate_stripe_id")),
    )
    with op.batch_alter_table("tax_rate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tax_rate_country"), ["country"], unique=False)

    op.create_table(
        "write_off",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "requested_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "requested_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("is_approved", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_off")),
    )
    with op.batch_alter_table("write_off", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_write_off_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "affiliate",
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
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "rejected",
                "suspended",
                "left",
                name="affiliatestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("pitch", sa.Text(), nullable=False),
        sa.Column("decision_note", sa.String(length=500), nullable=False),
        sa.Column(
            "joined_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("key_hash", sa.String(length=64), nullable=True),
        sa.Column("key_hint", sa.String(length=8), nullable=False),
        sa.Column(
            "key_made_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["affiliate_program.id"],
            name=op.f("fk_affiliate_program_id_affiliate_program"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_affiliate_key_hash")),
        sa.UniqueConstraint(
            "program_id", "organization_id", name=op.f("uq_affiliate_program_id_organization_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_affiliate_public_id")),
    )
    with op.batch_alter_table("affiliate", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_affiliate_organization_id"), ["organization_id"], unique=False
        )

    op.create_table(
        "bank_line",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reference", sa.String(length=140), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("ignored_reason", sa.String(length=300), nullable=False),
        sa.Column("rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["bank_import.id"], name=op.f("fk_bank_line_import_id_bank_import")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["bank_rule.id"], name=op.f("fk_bank_line_rule_id_bank_rule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("hash", name=op.f("uq_bank_line_hash")),
    )
    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.create_index(
            "ix_bank_line_amount", ["currency", "amount", "booked_on"], unique=False
        )
        batch_op.create_index("ix_bank_line_booked_on", ["booked_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_import_id"), ["import_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_rule_id"), ["rule_id"], unique=False)

    op.create_table(
        "commission_rule",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "effective_from", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("payments", sa.Integer(), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=True),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["affiliate_program.id"],
            name=op.f("fk_commission_rule_program_id_affiliate_program"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_rule")),
        sa.UniqueConstraint(
            "program_id", "version", name=op.f("uq_commission_rule_program_id_version")
        ),
    )
    op.create_table(
        "fee_simulation",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("since", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("until", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column(
            "last_partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
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
            ["schedule_id"],
            ["fee_schedule.id"],
            name=op.f("fk_fee_simulation_schedule_id_fee_schedule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_simulation")),
        sa.UniqueConstraint(
            "schedule_id", "months", name=op.f("uq_fee_simulation_schedule_id_months")
        ),
    )
    op.create_table(
        "fee_simulation_partner",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "simulation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("partner_type", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["simulation_id"],
            ["fee_simulation.id"],
            name=op.f("fk_fee_simulation_partner_simulation_id_fee_simulation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_simulation_partner")),
    )
    with op.batch_alter_table("fee_simulation_partner", schema=None) as batch_op:
        batch_op.create_index(
            "ix_fee_simulation_partner_of", ["simulation_id", "currency"], unique=False
        )

    op.create_table(
        "fee_rule",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "sale",
                "application",
                "certification",
                "listing",
                "support_pack",
                name="feekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("partner_type", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bps", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.BigInteger(), nullable=False),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["fee_schedule.id"], name=op.f("fk_fee_rule_schedule_id_fee_schedule")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_rule")),
        sa.UniqueConstraint(
            "schedule_id",
            "kind",
            "partner_type",
            "tier",
            "currency",
            name=op.f("uq_fee_rule_schedule_id_kind_partner_type_tier_currency"),
        ),
    )
    op.create_table(
        "payout",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("carried", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "computed",
                "held",
                "reserved",
                "submitting",
                "unknown",
                "transferred",
                "paid",
                "rejected",
                "failed",
                "returned",
                "reversing",
                "reversed",
                "canceled",
                name="payoutstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("destination", sa.String(length=100), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.String(length=100), nullable=True),
        sa.Column("reversed_amount", sa.BigInteger(), nullable=False),
        sa.Column("partner_payout_id", sa.String(length=100), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "transferred_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("paid_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.CheckConstraint(
            "amount > 0 OR state = 'held'", name=op.f("ck_payout_amount_above_zero")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payout_run.id"], name=op.f("fk_payout_run_id_payout_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_public_id")),
        sa.UniqueConstraint(
            "run_id", "partner_id", "currency", name=op.f("uq_payout_run_id_partner_id_currency")
        ),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_payout_transfer_id")),
    )
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.create_index("ix_payout_destination", ["destination"], unique=False)
        batch_op.create_index("ix_payout_of_run", ["run_id", "state", "id"], unique=False)
        batch_op.create_index("ix_payout_partner", ["partner_id", "id"], unique=False)
        batch_op.create_index("ix_payout_partner_payout", ["partner_payout_id"], unique=False)
        batch_op.create_index("ix_payout_state", ["state"], unique=False)

    op.create_table(
        "price",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "effective_from", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_price_amount_not_negative")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_price_plan_id_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sa.UniqueConstraint(
            "plan_id", "currency", "version", name=op.f("uq_price_plan_id_currency_version")
        ),
    )
    op.create_table(
        "reseller_agreement",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reseller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("floor_amount", sa.BigInteger(), nullable=False),
        sa.Column("maximum_markup_bps", sa.Integer(), nullable=True),
        sa.Column("hold_days", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "offered",
                "active",
                "declined",
                "ended",
                name="agreementstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_reseller_agreement_plan_id_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reseller_agreement")),
        sa.UniqueConstraint("public_id", name=op.f("uq_reseller_agreement_public_id")),
    )
    with op.batch_alter_table("reseller_agreement", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reseller_agreement_parties",
            ["publisher_id", "reseller_id", "plan_id"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_reseller_agreement_plan_id"), ["plan_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_reseller_agreement_reseller_id"), ["reseller_id"], unique=False
        )

    op.create_table(
        "affiliate_lead",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("sub_id", sa.String(length=80), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"],
            ["affiliate.id"],
            name=op.f("fk_affiliate_lead_affiliate_id_affiliate"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_lead")),
        sa.UniqueConstraint(
            "affiliate_id", "email_hash", name=op.f("uq_affiliate_lead_affiliate_id_email_hash")
        ),
    )
    with op.batch_alter_table("affiliate_lead", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_affiliate_lead_email_hash"), ["email_hash"], unique=False
        )

    op.create_table(
        "affiliate_link",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "disabled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"],
            ["affiliate.id"],
            name=op.f("fk_affiliate_link_affiliate_id_affiliate"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_link")),
        sa.UniqueConstraint("code", name=op.f("uq_affiliate_link_code")),
    )
    with op.batch_alter_table("affiliate_link", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_affiliate_link_affiliate_id"), ["affiliate_id"], unique=False
        )

    op.create_table(
        "promotion_code",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "discount_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "disabled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"],
            ["affiliate.id"],
            name=op.f("fk_promotion_code_affiliate_id_affiliate"),
        ),
        sa.ForeignKeyConstraint(
            ["discount_id"], ["discount.id"], name=op.f("fk_promotion_code_discount_id_discount")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_code")),
    )
    with op.batch_alter_table("promotion_code", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_promotion_code_affiliate_id"), ["affiliate_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_promotion_code_discount_id"), ["discount_id"], unique=False
        )
        batch_op.create_index(
            "uq_promotion_code_platform",
            ["code"],
            unique=True,
            sqlite_where=sa.text("publisher_id IS NULL"),
            postgresql_where=sa.text("publisher_id IS NULL"),
        )
        batch_op.create_index("uq_promotion_code_publisher", ["publisher_id", "code"], unique=True)

    op.create_table(
        "resale_quote",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "agreement_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reseller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "sent",
                "accepted",
                "paid",
                "declined",
                "withdrawn",
                "expired",
                name="quotestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("sent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["reseller_agreement.id"],
            name=op.f("fk_resale_quote_agreement_id_reseller_agreement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resale_quote")),
        sa.UniqueConstraint("public_id", name=op.f("uq_resale_quote_public_id")),
    )
    with op.batch_alter_table("resale_quote", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_resale_quote_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index("ix_resale_quote_reseller", ["reseller_id", "id"], unique=False)

    op.create_table(
        "subscription",
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
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("price_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "incomplete",
                "trialing",
                "active",
                "past_due",
                "canceled",
                name="subscriptionstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=True),
        sa.Column("stripe_item_id", sa.String(length=100), nullable=True),
        sa.Column(
            "trial_ends_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "current_period_start",
            marketplace.core.database.UtcDateTime(timezone=True),
            nullable=True,
        ),
        sa.Column(
            "current_period_end",
            marketplace.core.database.UtcDateTime(timezone=True),
            nullable=True,
        ),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column(
            "canceled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("last_change", sa.String(length=40), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "updated_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_subscription_plan_id_plan")
        ),
        sa.ForeignKeyConstraint(
            ["price_id"], ["price.id"], name=op.f("fk_subscription_price_id_price")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("public_id", name=op.f("uq_subscription_public_id")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_subscription_stripe_id")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_subscription_listing_id"), ["listing_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_subscription_organization_id"), ["organization_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_subscription_plan_id"), ["plan_id"], unique=False)
        batch_op.create_index(
            "uq_subscription_live",
            ["organization_id", "listing_id"],
            unique=True,
            sqlite_where=sa.text("state NOT IN ('canceled', 'incomplete')"),
            postgresql_where=sa.text("state NOT IN ('canceled', 'incomplete')"),
        )

    op.create_table(
        "affiliate_click",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visitor_hash", sa.String(length=64), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("sub_id", sa.String(length=80), nullable=False),
        sa.Column("referrer_host", sa.String(length=120), nullable=False),
        sa.Column("is_bot", sa.Boolean(), nullable=False),
        sa.Column(
            "clicked_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["link_id"],
            ["affiliate_link.id"],
            name=op.f("fk_affiliate_click_link_id_affiliate_link"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_affiliate_click")),
    )
    with op.batch_alter_table("affiliate_click", schema=None) as batch_op:
        batch_op.create_index("ix_affiliate_click_link", ["link_id", "clicked_at"], unique=False)
        batch_op.create_index(
            "ix_affiliate_click_visitor", ["visitor_hash", "clicked_at"], unique=False
        )

    op.create_table(
        "purchase_order",
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
                "purchase",
                "renewal",
                "change",
                "resale",
                "program_fee",
                name="orderkind",
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
                "paid",
                "expired",
                "canceled",
                "failed",
                name="orderstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "placed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("discount_total", sa.BigInteger(), nullable=False),
        sa.Column("tax_total", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("refunded_total", sa.BigInteger(), nullable=False),
        sa.Column(
            "subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "resale_quote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("billing_details", sa.JSON(), nullable=False),
        sa.Column("tax_details", sa.JSON(), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=True),
        sa.Column("checkout_session_id", sa.String(length=100), nullable=True),
        sa.Column("stripe_invoice_id", sa.String(length=100), nullable=True),
        sa.Column("payment_intent_id", sa.String(length=100), nullable=True),
        sa.Column("charge_id", sa.String(length=100), nullable=True),
        sa.Column("card_fingerprint", sa.String(length=40), nullable=True),
        sa.Column("card_brand", sa.String(length=40), nullable=False),
        sa.Column("card_last4", sa.String(length=4), nullable=False),
        sa.Column(
            "period_start", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "period_end", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("paid_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "refunded_total >= 0 AND refunded_total <= total",
            name=op.f("ck_purchase_order_refunded_in_total"),
        ),
        sa.CheckConstraint(
            "subtotal - discount_total + tax_total = total", name=op.f("ck_purchase_order_sums_up")
        ),
        sa.ForeignKeyConstraint(
            ["resale_quote_id"],
            ["resale_quote.id"],
            name=op.f("fk_purchase_order_resale_quote_id_resale_quote"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_purchase_order_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_order")),
        sa.UniqueConstraint("charge_id", name=op.f("uq_purchase_order_charge_id")),
        sa.UniqueConstraint(
            "checkout_session_id", name=op.f("uq_purchase_order_checkout_session_id")
        ),
        sa.UniqueConstraint("invoice_number", name=op.f("uq_purchase_order_invoice_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_purchase_order_public_id")),
        sa.UniqueConstraint("stripe_invoice_id", name=op.f("uq_purchase_order_stripe_invoice_id")),
    )
    with op.batch_alter_table("purchase_order", schema=None) as batch_op:
        batch_op.create_index("ix_purchase_order_buyer", ["organization_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_purchase_order_card_fingerprint"), ["card_fingerprint"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_purchase_order_payment_intent_id"), ["payment_intent_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_purchase_order_resale_quote_id"), ["resale_quote_id"], unique=False
        )
        batch_op.create_index("ix_purchase_order_state_paid_at", ["state", "paid_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_purchase_order_subscription_id"), ["subscription_id"], unique=False
        )

    op.create_table(
        "attribution",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "program_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("click_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("sub_id", sa.String(length=80), nullable=False),
        sa.Column(
            "signed_up_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "expires_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("hold_reason", sa.String(length=300), nullable=False),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliate.id"], name=op.f("fk_attribution_affiliate_id_affiliate")
        ),
        sa.ForeignKeyConstraint(
            ["click_id"],
            ["affiliate_click.id"],
            name=op.f("fk_attribution_click_id_affiliate_click"),
        ),
        sa.ForeignKeyConstraint(
            ["program_id"],
            ["affiliate_program.id"],
            name=op.f("fk_attribution_program_id_affiliate_program"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribution")),
    )
    with op.batch_alter_table("attribution", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_attribution_affiliate_id"), ["affiliate_id"], unique=False
        )
        batch_op.create_index(
            "ix_attribution_customer", ["organization_id", "program_id"], unique=False
        )
        batch_op.create_index(
            "uq_attribution_live",
            ["organization_id", "program_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "discount_use",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "discount_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("code_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "released_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["promotion_code.id"], name=op.f("fk_discount_use_code_id_promotion_code")
        ),
        sa.ForeignKeyConstraint(
            ["discount_id"], ["discount.id"], name=op.f("fk_discount_use_discount_id_discount")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["purchase_order.id"],
            name=op.f("fk_discount_use_order_id_purchase_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount_use")),
    )
    with op.batch_alter_table("discount_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_discount_use_code_id"), ["code_id"], unique=False)
        batch_op.create_index(
            "ix_discount_use_live",
            ["discount_id", "organization_id"],
            unique=False,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )
        batch_op.create_index("uq_discount_use_order", ["order_id", "discount_id"], unique=True)

    op.create_table(
        "entitlement",
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
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "subscription_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "grace",
                "ended",
                name="entitlementstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "starts_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "grace_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("ended_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_entitlement_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_entitlement_plan_id_plan")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_entitlement_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
    )
    with op.batch_alter_table("entitlement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_entitlement_grace_until"), ["grace_until"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_entitlement_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_entitlement_order_id"), ["order_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_entitlement_subscription_id"), ["subscription_id"], unique=False
        )
        batch_op.create_index(
            "uq_entitlement_live",
            ["organization_id", "listing_id"],
            unique=True,
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )

    op.create_table(
        "ledger_txn",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("source_type", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=80), nullable=False),
        sa.Column("idem_key", sa.String(length=160), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("memo", sa.String(length=300), nullable=False),
        sa.Column(
            "effective_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "posted_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "period_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_ledger_txn_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(
            ["period_id"], ["period.id"], name=op.f("fk_ledger_txn_period_id_period")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["ledger_txn.id"], name=op.f("fk_ledger_txn_reverses_id_ledger_txn")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_txn")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_ledger_txn_idem_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_txn_reverses_id")),
    )
    with op.batch_alter_table("ledger_txn", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_txn_effective_at"), ["effective_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_txn_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_txn_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_txn_period_id"), ["period_id"], unique=False)
        batch_op.create_index("ix_ledger_txn_source", ["source_type", "source_id"], unique=False)

    op.create_table(
        "order_line",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column(
            "listing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("price_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "publisher_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_amount", sa.BigInteger(), nullable=False),
        sa.Column("list_amount", sa.BigInteger(), nullable=False),
        sa.Column("discount_amount", sa.BigInteger(), nullable=False),
        sa.Column("discount_platform_amount", sa.BigInteger(), nullable=False),
        sa.Column("discounts", sa.JSON(), nullable=False),
        sa.Column("net_amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_bps", sa.Integer(), nullable=False),
        sa.Column("tax_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "fee_rule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("fee_base", sa.BigInteger(), nullable=False),
        sa.Column("fee_bps", sa.Integer(), nullable=False),
        sa.Column("fee_fixed", sa.BigInteger(), nullable=False),
        sa.Column("fee_amount", sa.BigInteger(), nullable=False),
        sa.Column("publisher_amount", sa.BigInteger(), nullable=False),
        sa.Column("publisher_hold_days", sa.Integer(), nullable=False),
        sa.Column(
            "reseller_agreement_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "reseller_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("floor_amount", sa.BigInteger(), nullable=False),
        sa.Column("margin_amount", sa.BigInteger(), nullable=False),
        sa.Column("margin_hold_days", sa.Integer(), nullable=False),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "affiliate_organization_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "commission_rule_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("commission_base", sa.BigInteger(), nullable=False),
        sa.Column("commission_bps", sa.Integer(), nullable=False),
        sa.Column("commission_amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "commission_funder",
            sa.Enum(
                "publisher",
                "platform",
                name="funder",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("commission_hold_days", sa.Integer(), nullable=False),
        sa.Column("commission_hold_reason", sa.String(length=300), nullable=False),
        sa.Column("came_by", sa.String(length=20), nullable=False),
        sa.Column(
            "attribution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("click_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("code_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sub_id", sa.String(length=80), nullable=False),
        sa.Column(
            "credited_until", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliate.id"], name=op.f("fk_order_line_affiliate_id_affiliate")
        ),
        sa.ForeignKeyConstraint(
            ["attribution_id"],
            ["attribution.id"],
            name=op.f("fk_order_line_attribution_id_attribution"),
        ),
        sa.ForeignKeyConstraint(
            ["click_id"],
            ["affiliate_click.id"],
            name=op.f("fk_order_line_click_id_affiliate_click"),
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["promotion_code.id"], name=op.f("fk_order_line_code_id_promotion_code")
        ),
        sa.ForeignKeyConstraint(
            ["commission_rule_id"],
            ["commission_rule.id"],
            name=op.f("fk_order_line_commission_rule_id_commission_rule"),
        ),
        sa.ForeignKeyConstraint(
            ["fee_rule_id"], ["fee_rule.id"], name=op.f("fk_order_line_fee_rule_id_fee_rule")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_order_line_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_order_line_plan_id_plan")),
        sa.ForeignKeyConstraint(
            ["price_id"], ["price.id"], name=op.f("fk_order_line_price_id_price")
        ),
        sa.ForeignKeyConstraint(
            ["reseller_agreement_id"],
            ["reseller_agreement.id"],
            name=op.f("fk_order_line_reseller_agreement_id_reseller_agreement"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_line_order_id_position")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_order_line_affiliate_id"), ["affiliate_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_order_line_affiliate_organization_id"),
            ["affiliate_organization_id"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_order_line_listing_id"), ["listing_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_plan_id"), ["plan_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_order_line_publisher_id"), ["publisher_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_order_line_reseller_id"), ["reseller_id"], unique=False
        )

    op.create_table(
        "payment_dispute",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("charge_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("lost_amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "warning",
                "open",
                "won",
                "lost",
                name="disputestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "evidence_due_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column(
            "evidence_sent_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["purchase_order.id"],
            name=op.f("fk_payment_dispute_order_id_purchase_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_dispute")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_payment_dispute_stripe_id")),
    )
    with op.batch_alter_table("payment_dispute", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_dispute_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_dispute_state"), ["state"], unique=False)

    op.create_table(
        "refund_request",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "granted",
                "refused",
                "withdrawn",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["purchase_order.id"],
            name=op.f("fk_refund_request_order_id_purchase_order"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_request")),
    )
    with op.batch_alter_table("refund_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_request_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_refund_request_state", ["state", "id"], unique=False)

    op.create_table(
        "earning",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "publisher_share",
                "reseller_margin",
                "affiliate_commission",
                "returned_commission",
                name="earningkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("rate_bps", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reversed_amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "held",
                "payable",
                "void",
                name="earningstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "release_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "released_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column("freezes", sa.JSON(), nullable=False),
        sa.Column("frozen_reason", sa.String(length=300), nullable=False),
        sa.Column("frozen_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.String(length=300), nullable=False),
        sa.Column("voided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.CheckConstraint(
            "reversed_amount >= 0 AND reversed_amount <= amount",
            name=op.f("ck_earning_reversed_in_amount"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_earning_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_earning_order_line_id_order_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earning")),
        sa.UniqueConstraint(
            "order_line_id",
            "partner_id",
            "kind",
            name=op.f("uq_earning_order_line_id_partner_id_kind"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_earning_public_id")),
    )
    with op.batch_alter_table("earning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_earning_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_earning_partner", ["partner_id", "id"], unique=False)
        batch_op.create_index("ix_earning_release", ["state", "release_at"], unique=False)

    op.create_table(
        "commission_clearance",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "earning_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "affiliate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "organization_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"],
            ["affiliate.id"],
            name=op.f("fk_commission_clearance_affiliate_id_affiliate"),
        ),
        sa.ForeignKeyConstraint(
            ["earning_id"],
            ["earning.id"],
            name=op.f("fk_commission_clearance_earning_id_earning"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_clearance")),
        sa.UniqueConstraint(
            "earning_id", "reason", name=op.f("uq_commission_clearance_earning_id_reason")
        ),
    )
    with op.batch_alter_table("commission_clearance", schema=None) as batch_op:
        batch_op.create_index(
            "ix_commission_clearance_pair", ["affiliate_id", "organization_id"], unique=False
        )

    op.create_table(
        "recon_break",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("fingerprint", sa.String(length=160), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "missing_in_ledger",
                "missing_in_stripe",
                "amount",
                "fee",
                "currency",
                "timing",
                "duplicate",
                "unmatched_bank",
                name="breaktype",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=100), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "occurred_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "explained",
                "resolved",
                name="breakstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "ledger_txn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "seen_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("found_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "resolved_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "resolved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["ledger_txn_id"],
            ["ledger_txn.id"],
            name=op.f("fk_recon_break_ledger_txn_id_ledger_txn"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recon_break")),
    )
    with op.batch_alter_table("recon_break", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_recon_break_occurred_at"), ["occurred_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_recon_break_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index("ix_recon_break_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "ix_recon_break_subject", ["subject_type", "subject_id"], unique=False
        )
        batch_op.create_index(
            "uq_recon_break_open",
            ["fingerprint"],
            unique=True,
            sqlite_where=sa.text("state <> 'resolved'"),
            postgresql_where=sa.text("state <> 'resolved'"),
        )

    op.create_table(
        "refund",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "intended",
                "pending",
                "succeeded",
                "failed",
                "canceled",
                name="refundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=True),
        sa.Column("failure", sa.String(length=300), nullable=False),
        sa.Column(
            "request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "settled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refund_amount_above_zero")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["purchase_order.id"], name=op.f("fk_refund_order_id_purchase_order")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["refund_request.id"], name=op.f("fk_refund_request_id_refund_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_refund_stripe_id")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index("ix_refund_state", ["state", "id"], unique=False)
        batch_op.create_index("uq_refund_order_number", ["order_id", "number"], unique=True)

    op.create_table(
        "ledger_entry",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("txn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "side",
            sa.Enum(
                "debit", "credit", name="side", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "earning_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_entry_amount_above_zero")),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["ledger_account.id"],
            name=op.f("fk_ledger_entry_account_id_ledger_account"),
        ),
        sa.ForeignKeyConstraint(
            ["earning_id"], ["earning.id"], name=op.f("fk_ledger_entry_earning_id_earning")
        ),
        sa.ForeignKeyConstraint(
            ["txn_id"], ["ledger_txn.id"], name=op.f("fk_ledger_entry_txn_id_ledger_txn")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entry_account", ["account_id", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_earning_id"), ["earning_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entry_txn_id"), ["txn_id"], unique=False)

    op.create_table(
        "objection",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "earning_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "upheld",
                "rejected",
                "withdrawn",
                name="objectionstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("adjustment", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "decided_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.Column(
            "decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["earning_id"], ["earning.id"], name=op.f("fk_objection_earning_id_earning")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection")),
    )
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_objection_earning_id"), ["earning_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_objection_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index("ix_objection_state", ["state", "id"], unique=False)
        batch_op.create_index(
            "uq_objection_open",
            ["earning_id"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )

    op.create_table(
        "transfer_reversal",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("stripe_id", sa.String(length=100), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("refund_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "dispute_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "earning_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "created_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=False
        ),
        sa.Column(
            "settled_at", marketplace.core.database.UtcDateTime(timezone=True), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"],
            ["payment_dispute.id"],
            name=op.f("fk_transfer_reversal_dispute_id_payment_dispute"),
        ),
        sa.ForeignKeyConstraint(
            ["earning_id"], ["earning.id"], name=op.f("fk_transfer_reversal_earning_id_earning")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payout.id"], name=op.f("fk_transfer_reversal_payout_id_payout")
        ),
        sa.ForeignKeyConstraint(
            ["refund_id"], ["refund.id"], name=op.f("fk_transfer_reversal_refund_id_refund")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_reversal")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_transfer_reversal_stripe_id")),
    )
    with op.batch_alter_table("transfer_reversal", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_transfer_reversal_dispute_id"), ["dispute_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_transfer_reversal_earning_id"), ["earning_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_transfer_reversal_payout_id"), ["payout_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_transfer_reversal_refund_id"), ["refund_id"], unique=False
        )

    op.create_table(
        "payout_item",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column(
            "payout_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name=op.f("fk_payout_item_entry_id_ledger_entry")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payout.id"], name=op.f("fk_payout_item_payout_id_payout")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_item")),
    )
    with op.batch_alter_table("payout_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_item_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payout_item_payout_id"), ["payout_id"], unique=False)
        batch_op.create_index(
            "uq_payout_item_live",
            ["entry_id"],
            unique=True,
            sqlite_where=sa.text("is_live"),
            postgresql_where=sa.text("is_live"),
        )

    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("payout_item", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payout_item_live",
            sqlite_where=sa.text("is_live"),
            postgresql_where=sa.text("is_live"),
        )
        batch_op.drop_index(batch_op.f("ix_payout_item_payout_id"))
        batch_op.drop_index(batch_op.f("ix_payout_item_entry_id"))

    op.drop_table("payout_item")
    with op.batch_alter_table("transfer_reversal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_transfer_reversal_refund_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_reversal_payout_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_reversal_earning_id"))
        batch_op.drop_index(batch_op.f("ix_transfer_reversal_dispute_id"))

    op.drop_table("transfer_reversal")
    with op.batch_alter_table("objection", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_objection_open",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
        batch_op.drop_index("ix_objection_state")
        batch_op.drop_index(batch_op.f("ix_objection_partner_id"))
        batch_op.drop_index(batch_op.f("ix_objection_earning_id"))

    op.drop_table("objection")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_txn_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_earning_id"))
        batch_op.drop_index("ix_ledger_entry_account")

    op.drop_table("ledger_entry")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index("uq_refund_order_number")
        batch_op.drop_index("ix_refund_state")

    op.drop_table("refund")
    with op.batch_alter_table("recon_break", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_recon_break_open",
            sqlite_where=sa.text("state <> 'resolved'"),
            postgresql_where=sa.text("state <> 'resolved'"),
        )
        batch_op.drop_index("ix_recon_break_subject")
        batch_op.drop_index("ix_recon_break_state")
        batch_op.drop_index(batch_op.f("ix_recon_break_owner_id"))
        batch_op.drop_index(batch_op.f("ix_recon_break_occurred_at"))

    op.drop_table("recon_break")
    with op.batch_alter_table("commission_clearance", schema=None) as batch_op:
        batch_op.drop_index("ix_commission_clearance_pair")

    op.drop_table("commission_clearance")
    with op.batch_alter_table("earning", schema=None) as batch_op:
        batch_op.drop_index("ix_earning_release")
        batch_op.drop_index("ix_earning_partner")
        batch_op.drop_index(batch_op.f("ix_earning_order_id"))

    op.drop_table("earning")
    with op.batch_alter_table("refund_request", schema=None) as batch_op:
        batch_op.drop_index("ix_refund_request_state")
        batch_op.drop_index(batch_op.f("ix_refund_request_order_id"))

    op.drop_table("refund_request")
    with op.batch_alter_table("payment_dispute", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_dispute_state"))
        batch_op.drop_index(batch_op.f("ix_payment_dispute_order_id"))

    op.drop_table("payment_dispute")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_line_reseller_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_publisher_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_plan_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_listing_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_affiliate_organization_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_affiliate_id"))

    op.drop_table("order_line")
    with op.batch_alter_table("ledger_txn", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_txn_source")
        batch_op.drop_index(batch_op.f("ix_ledger_txn_period_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_txn_order_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_txn_kind"))
        batch_op.drop_index(batch_op.f("ix_ledger_txn_effective_at"))

    op.drop_table("ledger_txn")
    with op.batch_alter_table("entitlement", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_entitlement_live",
            sqlite_where=sa.text("state <> 'ended'"),
            postgresql_where=sa.text("state <> 'ended'"),
        )
        batch_op.drop_index(batch_op.f("ix_entitlement_subscription_id"))
        batch_op.drop_index(batch_op.f("ix_entitlement_order_id"))
        batch_op.drop_index(batch_op.f("ix_entitlement_listing_id"))
        batch_op.drop_index(batch_op.f("ix_entitlement_grace_until"))

    op.drop_table("entitlement")
    with op.batch_alter_table("discount_use", schema=None) as batch_op:
        batch_op.drop_index("uq_discount_use_order")
        batch_op.drop_index(
            "ix_discount_use_live",
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_discount_use_code_id"))

    op.drop_table("discount_use")
    with op.batch_alter_table("attribution", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attribution_live",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index("ix_attribution_customer")
        batch_op.drop_index(batch_op.f("ix_attribution_affiliate_id"))

    op.drop_table("attribution")
    with op.batch_alter_table("purchase_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchase_order_subscription_id"))
        batch_op.drop_index("ix_purchase_order_state_paid_at")
        batch_op.drop_index(batch_op.f("ix_purchase_order_resale_quote_id"))
        batch_op.drop_index(batch_op.f("ix_purchase_order_payment_intent_id"))
        batch_op.drop_index(batch_op.f("ix_purchase_order_card_fingerprint"))
        batch_op.drop_index("ix_purchase_order_buyer")

    op.drop_table("purchase_order")
    with op.batch_alter_table("affiliate_click", schema=None) as batch_op:
        batch_op.drop_index("ix_affiliate_click_visitor")
        batch_op.drop_index("ix_affiliate_click_link")

    op.drop_table("affiliate_click")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_subscription_live",
            sqlite_where=sa.text("state NOT IN ('canceled', 'incomplete')"),
            postgresql_where=sa.text("state NOT IN ('canceled', 'incomplete')"),
        )
        batch_op.drop_index(batch_op.f("ix_subscription_plan_id"))
        batch_op.drop_index(batch_op.f("ix_subscription_organization_id"))
        batch_op.drop_index(batch_op.f("ix_subscription_listing_id"))

    op.drop_table("subscription")
    with op.batch_alter_table("resale_quote", schema=None) as batch_op:
        batch_op.drop_index("ix_resale_quote_reseller")
        batch_op.drop_index(batch_op.f("ix_resale_quote_customer_id"))

    op.drop_table("resale_quote")
    with op.batch_alter_table("promotion_code", schema=None) as batch_op:
        batch_op.drop_index("uq_promotion_code_publisher")
        batch_op.drop_index(
            "uq_promotion_code_platform",
            sqlite_where=sa.text("publisher_id IS NULL"),
            postgresql_where=sa.text("publisher_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_promotion_code_discount_id"))
        batch_op.drop_index(batch_op.f("ix_promotion_code_affiliate_id"))

    op.drop_table("promotion_code")
    with op.batch_alter_table("affiliate_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_link_affiliate_id"))

    op.drop_table("affiliate_link")
    with op.batch_alter_table("affiliate_lead", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_lead_email_hash"))

    op.drop_table("affiliate_lead")
    with op.batch_alter_table("reseller_agreement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reseller_agreement_reseller_id"))
        batch_op.drop_index(batch_op.f("ix_reseller_agreement_plan_id"))
        batch_op.drop_index("ix_reseller_agreement_parties")

    op.drop_table("reseller_agreement")
    op.drop_table("price")
    with op.batch_alter_table("payout", schema=None) as batch_op:
        batch_op.drop_index("ix_payout_state")
        batch_op.drop_index("ix_payout_partner_payout")
        batch_op.drop_index("ix_payout_partner")
        batch_op.drop_index("ix_payout_of_run")
        batch_op.drop_index("ix_payout_destination")

    op.drop_table("payout")
    with op.batch_alter_table("fee_simulation_partner", schema=None) as batch_op:
        batch_op.drop_index("ix_fee_simulation_partner_of")

    op.drop_table("fee_simulation_partner")
    op.drop_table("fee_simulation")
    op.drop_table("fee_rule")
    op.drop_table("commission_rule")
    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_line_rule_id"))
        batch_op.drop_index(batch_op.f("ix_bank_line_import_id"))
        batch_op.drop_index("ix_bank_line_booked_on")
        batch_op.drop_index("ix_bank_line_amount")

    op.drop_table("bank_line")
    with op.batch_alter_table("affiliate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_organization_id"))

    op.drop_table("affiliate")
    with op.batch_alter_table("write_off", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_write_off_partner_id"))

    op.drop_table("write_off")
    with op.batch_alter_table("tax_rate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tax_rate_country"))

    op.drop_table("tax_rate")
    with op.batch_alter_table("stripe_payout", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stripe_payout_trace_id"))

    op.drop_table("stripe_payout")
    with op.batch_alter_table("stripe_op", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stripe_op_stripe_id"))
        batch_op.drop_index("ix_stripe_op_state")

    op.drop_table("stripe_op")
    with op.batch_alter_table("stripe_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stripe_event_type"))
        batch_op.drop_index("ix_stripe_event_state")
        batch_op.drop_index(batch_op.f("ix_stripe_event_object_id"))

    op.drop_table("stripe_event")
    op.drop_table("stripe_customer")
    op.drop_table("stripe_cursor")
    op.drop_table("recon_run")
    with op.batch_alter_table("recon_match", schema=None) as batch_op:
        batch_op.drop_index("uq_recon_match_pair")
        batch_op.drop_index("ix_recon_match_right")

    op.drop_table("recon_match")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_publisher_id"))
        batch_op.drop_index(batch_op.f("ix_plan_listing_id"))

    op.drop_table("plan")
    op.drop_table("period")
    op.drop_table("payout_setting")
    with op.batch_alter_table("payout_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payout_run_state"))

    op.drop_table("payout_run")
    with op.batch_alter_table("ledger_account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_account_owner"))

    op.drop_table("ledger_account")
    op.drop_table("invoice_counter")
    with op.batch_alter_table("fee_schedule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fee_schedule_effective_from"))

    op.drop_table("fee_schedule")
    with op.batch_alter_table("discount", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_discount_publisher_id"))

    op.drop_table("discount")
    with op.batch_alter_table("connected_account", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_connected_account_live",
            sqlite_where=sa.text("disconnected_at IS NULL"),
            postgresql_where=sa.text("disconnected_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_connected_account_organization_id"))

    op.drop_table("connected_account")
    op.drop_table("billing_profile")
    op.drop_table("bank_rule")
    op.drop_table("bank_import")
    with op.batch_alter_table("balance_conversion", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_balance_conversion_open",
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_balance_conversion_partner_id"))

    op.drop_table("balance_conversion")
    with op.batch_alter_table("balance_txn", schema=None) as batch_op:
        batch_op.drop_index("ix_balance_txn_source")
        batch_op.drop_index("ix_balance_txn_payout")
        batch_op.drop_index("ix_balance_txn_created")

    op.drop_table("balance_txn")
    with op.batch_alter_table("affiliate_program", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_affiliate_program_publisher_id"))
        batch_op.drop_index(batch_op.f("ix_affiliate_program_listing_id"))

    op.drop_table("affiliate_program")
    if op.get_bind().dialect.name == "postgresql":
        for function in POSTGRESQL_FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}() CASCADE")
