/* The search page: keeps the place when its changing part is swapped, says what was found, and
   counts searches and clicks (without anything about the person). The page works without it. */
(() => {
  const SETTLED_AFTER = 1500;
  const form = document.querySelector("[data-search-form]");
  if (!form) return;
  const input = form.querySelector("input[type=search]");
  const status = document.querySelector("[data-search-status]");
  const part = () => document.getElementById("search-page");
  let typing = false;
  let place = null;
  let timer = 0;
  let counted = part().dataset.query;

  const log = (values) => {
    const body = new URLSearchParams({ q: part().dataset.query, ...values });
    fetch(form.dataset.logUrl, { method: "POST", body, keepalive: true }).catch(() => {});
  };

  /* A slash goes to the field, as it does on every other page. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, dialog")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  const nameOf = (element) => {
    const facet = element.closest?.("details.facet");
    const label = element.querySelector?.(".facet-label");
    return facet && label ? [facet.id, label.textContent] : null;
  };

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== form) return;
    typing = event.detail.triggeringEvent?.type === "input";
    if (typing) event.detail.headers["Portico-Typing"] = "1";
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "search-page") return;
    const active = document.activeElement;
    place = {
      inField: active === input,
      facet: nameOf(active),
      paging: Boolean(active.closest?.(".pagination")),
      inside: part().contains(active) && active.id !== "sort",
      open: [...part().querySelectorAll("details[open]")].map((box) => box.id).filter(Boolean),
      shut: [...part().querySelectorAll("details.facet:not([open])")].map((box) => box.id),
      more: [...part().querySelectorAll("details.facet-more[open]")].map((box) => box.parentElement.id),
    };
  });

  /* After the fold of app.js, which closes the filters of narrow screens. */
  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt !== part() || !place) return;
    const { open, shut, more, facet, paging, inside } = place;
    place = null;
    open.forEach((id) => { const box = document.getElementById(id); if (box) box.open = true; });
    shut.forEach((id) => { const box = document.getElementById(id); if (box) box.open = false; });
    more.forEach((id) => { const box = document.getElementById(id)?.querySelector(".facet-more"); if (box) box.open = true; });
    const title = document.getElementById("results-title");
    if (facet) {
      const again = [...document.querySelectorAll(`#${CSS.escape(facet[0])} .facet-value`)]
        .find((link) => link.querySelector(".facet-label").textContent === facet[1]);
      (again ?? title).focus({ preventScroll: true });
    } else if (inside) {
      title.focus({ preventScroll: !paging });
    }
    if (paging) window.scrollTo({ top: 0 });
    status.textContent = title.textContent.trim().replace(/\s+/g, " ");
    if (!typing) input.value = part().dataset.query;
    settle();
  });

  /* What was typed and left standing is a search; each letter on the way is not. */
  const settle = () => {
    clearTimeout(timer);
    const { query, total } = part().dataset;
    if (!typing) counted = query;
    if (!query || query === counted) return;
    timer = setTimeout(() => {
      counted = query;
      log({ total });
    }, SETTLED_AFTER);
  };

  document.addEventListener("click", (event) => {
    const list = event.target.closest("[data-results]");
    const link = event.target.closest("a.stretched-link");
    if (!list || !link || !part().dataset.query) return;
    const place = [...list.children].indexOf(link.closest("li"));
    log({ position: Number(list.dataset.first) + place });
  });
})();
