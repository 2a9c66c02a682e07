"""The icons that a category may have; all of them are in static/img/icons.svg."""

CATEGORY_ICONS = (
    *("box", "activity", "award", "bell", "book-open", "briefcase", "building-2", "calendar"),
    *("chart-column", "cloud", "code", "credit-card", "database", "file-text", "folder"),
    *("globe", "graduation-cap", "handshake", "headphones", "heart", "image", "key", "landmark"),
    *("languages", "layers", "layout-grid", "life-buoy", "lightbulb", "link", "list-checks"),
    *("lock", "mail", "map-pin", "megaphone", "message-square", "messages-square", "monitor"),
    *("network", "package", "phone", "plug", "rocket", "server", "settings", "share-2", "shield"),
    *("shopping-cart", "sparkles", "star", "store", "tag", "ticket", "trending-up", "truck"),
    *("user", "users", "video", "wallet", "webhook", "workflow", "wrench", "zap"),
)
