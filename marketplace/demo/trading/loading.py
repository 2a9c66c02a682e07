"""Loading the demo's trade, once."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from marketplace.config import Settings
from marketplace.core.database import db
from marketplace.core.facts import Fact, record_fact
from marketplace.core.unit_of_work import unit_of_work
from marketplace.demo.trading.history import DAYS, History, has_traded
from marketplace.demo.trading.offers import set_up
from marketplace.demo.trading.stand_in import stand_in

TRADED = "demo.traded"


def load_trading(file: Path, settings: Settings, *, tell: Callable[[str], None]) -> bool:
    """Trade for DAYS days, unless that was done before; whether it was done now.

    Needs the stand-in's settings. A ledger cannot be taken back, so a history that was cut off
    stays as far as it came. Raises ValueError that says what is wrong with the file.
    """
    if db.session.scalar(select(Fact.id).where(Fact.kind == TRADED).limit(1)) is not None:
        return False
    if has_traded():
        tell("The demo's trade was cut off and stays so; `make clean` makes it anew.")
        return False
    db.session.rollback()
    trading: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    began = time.monotonic()
    with stand_in(settings, timedelta(days=DAYS)) as stripe:
        with unit_of_work():
            market = set_up(trading, trading["finance"])
        history = History(market, stripe, trading["finance"], trading["admin"])
        history.onboard()
        history.live()
    with unit_of_work():
        record_fact(TRADED, subject=("demo", "trading"), data={"days": DAYS})
    tell(f"{DAYS} days of trade in {time.monotonic() - began:.1f} s.")
    return True
