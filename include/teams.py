"""Who reads what: the teams and their focus areas. What matters and is nobody's focus is for support."""

from __future__ import annotations

from feedback.digest.team import Focus, Team

STORES = ("app_store", "google_play", "itunes")

TEAMS = (
    Team(
        name="product",
        title="Product",
        focus=(
            Focus(intents=("feature_request",)),
            Focus(
                areas=(
                    "user_interface",
                    "editing_and_content",
                    "search",
                    "notifications",
                    "sharing_and_collaboration",
                )
            ),
        ),
    ),
    Team(
        name="mobile",
        title="Mobile",
        focus=(
            Focus(areas=("mobile_app",)),
            Focus(areas=("stability", "performance", "sync_and_offline"), sources=STORES),
        ),
    ),
    Team(
        name="platform",
        title="Platform",
        focus=(
            Focus(
                areas=(
                    "integrations_and_api",
                    "import_and_export",
                    "permissions_and_security",
                    "stability",
                    "performance",
                    "sync_and_offline",
                )
            ),
        ),
    ),
    Team(
        name="billing",
        title="Billing and accounts",
        focus=(Focus(areas=("billing_and_pricing", "login_and_account")),),
    ),
    Team(
        name="support",
        title="Support",
        focus=(Focus(intents=("question",)), Focus(areas=("support_service", "documentation_and_help"))),
        takes_rest=True,
    ),
)
