/* A partner's or a listing's card, put beside this script element on any site:

   <script async src="https://…/embed/widget.js" data-partner="north-quay" data-theme="auto" data-size="large"></script>

   data-listing instead of data-partner shows a listing. It loads public data of the script's own
   origin and sets no cookie. Its style lives in a shadow tree, apart from the page's. */

(() => {
  "use strict";

  const script = document.currentScript;
  if (!script) return;
  const { partner, listing, theme = "auto", size = "large" } = script.dataset;
  const slug = partner || listing;
  if (!slug) return;
  const origin = new URL(script.src).origin;
  const kind = partner ? "partners" : "listings";

  const light = "--ground:#fff;--ink:#111827;--muted:#5b6472;--line:#d7dce2;--good-ground:#d9f2ee;--good-ink:#0b5a53;--fact-ground:#eef1f4;";
  const dark = "--ground:#14191a;--ink:#f2f5f4;--muted:#a7b0b8;--line:#333c40;--good-ground:#123b37;--good-ink:#9be7dc;--fact-ground:#242b2e;";
  const tokens = theme === "dark"
    ? `:host{${dark}}`
    : theme === "light" ? `:host{${light}}` : `:host{${light}}@media (prefers-color-scheme: dark){:host{${dark}}}`;
  const style = `${tokens}
    :host{display:block;max-width:420px;font:15px/1.4 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    a{display:flex;gap:12px;align-items:flex-start;box-sizing:border-box;padding:${size === "small" ? "10px 12px" : "14px 16px"};border:1px solid var(--line);border-radius:12px;background:var(--ground);color:var(--ink);text-decoration:none}
    a:hover .name{text-decoration:underline}
    a:focus-visible{outline:2px solid var(--good-ink);outline-offset:2px}
    img,.mark{flex:none;width:48px;height:48px;border-radius:10px;object-fit:cover}
    .mark{display:grid;place-items:center;background:var(--good-ground);color:var(--good-ink);font-weight:650}
    .body{display:grid;gap:4px;min-width:0}
    .name{font-weight:650;overflow-wrap:anywhere}
    .text{color:var(--muted);font-size:14px;overflow-wrap:anywhere}
    .facts{display:flex;flex-wrap:wrap;gap:6px}
    .fact{padding:1px 8px;border-radius:999px;background:var(--fact-ground);color:var(--muted);font-size:12.5px;white-space:nowrap}
    .good{background:var(--good-ground);color:var(--good-ink);font-weight:600}
    .site{color:var(--muted);font-size:12px}`;

  // Text goes in as text alone; whatever a name holds, it is never markup.
  const part = (name, className, text) => {
    const found = document.createElement(name);
    found.className = className;
    if (text) found.textContent = text;
    return found;
  };

  const facts = (data) => {
    const row = part("span", "facts");
    const add = (text, good) => row.append(part("span", good ? "fact good" : "fact", text));
    if (kind === "partners") {
      if (data.tier) add(`${data.tier} partner`, true);
      else if (data.has_left) add("Not a partner now");
      if (data.is_verified) add("Verified");
      if (data.certified_people) add(`${data.certified_people} certified ${data.certified_people === 1 ? "person" : "people"}`);
    } else {
      if (!data.is_live) add("Withdrawn");
      else if (data.is_certified) add("Certified", true);
      if (data.rating) add(`${data.rating} of 5`);
      add(`by ${data.publisher}`);
    }
    return row;
  };

  const link = (url) => {
    try {
      return new URL(url).origin === origin ? url : origin;
    } catch {
      return origin;
    }
  };

  const show = (data) => {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(part("style", "", style));
    }
    const card = part("a", "card");
    card.href = link(data.url);
    card.target = "_blank";
    card.rel = "noopener";
    let mark = part("span", "mark", data.name.slice(0, 1).toUpperCase());
    if (data.logo_url && data.logo_url.startsWith(`${origin}/`)) {
      mark = document.createElement("img");
      mark.src = data.logo_url;
      mark.alt = "";
      mark.width = 48;
      mark.height = 48;
    }
    const body = part("span", "body");
    body.append(part("span", "name", data.name));
    if (size !== "small" && data.tagline) body.append(part("span", "text", data.tagline));
    body.append(facts(data));
    if (size !== "small") body.append(part("span", "site", `on ${data.site}`));
    card.append(mark, body);
    root.append(card);
    script.after(host);
  };

  fetch(`${origin}/embed/${kind}/${encodeURIComponent(slug)}.json`, { credentials: "omit" })
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((data) => {
      if (data && typeof data.name === "string") show(data);
    })
    .catch(() => {
      /* The page stays as it is: a card that cannot be loaded shows nothing. */
    });
})();
