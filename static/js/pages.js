/* Listing and comparison pages: the tray of listings to compare, and arrow keys in the gallery.
   Without it, "Compare" leads to the comparison and screenshots open as pages of their own. */
(() => {
  const KEY = "portico-compare";
  const MOST = 4;

  const read = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(found) ? found.filter((item) => item && typeof item.slug === "string").slice(0, MOST) : [];
    } catch {
      return [];
    }
  };
  const write = (items) => {
    try {
      localStorage.setItem(KEY, JSON.stringify(items));
    } catch {
      /* Private windows may refuse; the link still works. */
    }
  };

  const tray = document.querySelector("[data-compare-tray]");
  const address = (items) => `${tray.dataset.compareUrl}?${items.map((item) => `l=${encodeURIComponent(item.slug)}`).join("&")}`;

  const draw = () => {
    const items = read();
    document.querySelectorAll("[data-compare]").forEach((link) => {
      const chosen = items.some((item) => item.slug === link.dataset.compare);
      link.setAttribute("role", "button");
      link.setAttribute("aria-pressed", String(chosen));
      link.querySelector("span").textContent = chosen ? "In comparison" : "Compare";
    });
    if (!tray) return;
    tray.hidden = items.length === 0;
    tray.replaceChildren();
    if (!items.length) return;
    const names = document.createElement("p");
    names.className = "compare-tray-names";
    names.textContent = items.map((item) => item.name).join(", ");
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "btn btn-quiet btn-sm";
    clear.textContent = "Clear";
    clear.addEventListener("click", () => { write([]); draw(); });
    const go = document.createElement("a");
    go.className = "btn btn-primary btn-sm";
    go.href = address(items);
    go.textContent = `Compare (${items.length})`;
    tray.append(names, clear, go);
  };

  document.addEventListener("click", (event) => {
    const gone = event.target.closest("[data-compare-remove]");
    if (gone) write(read().filter((item) => item.slug !== gone.dataset.compareRemove));
    const link = event.target.closest("[data-compare]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const { compare: slug, compareName: name } = link.dataset;
    const items = read();
    if (items.some((item) => item.slug === slug)) {
      write(items.filter((item) => item.slug !== slug));
    } else if (items.length >= MOST) {
      document.dispatchEvent(new CustomEvent("toast", { detail: { message: `You can compare ${MOST} at a time. Remove one first.`, tone: "warning" } }));
    } else {
      write([...items, { slug, name }]);
    }
    draw();
  });

  document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector(".shot-dialog[open]");
    const step = { ArrowLeft: "-1", ArrowRight: "1" }[event.key];
    if (dialog && step) dialog.querySelector(`[data-step="${step}"]`)?.click();
    const link = event.target.closest?.("[data-compare]");
    if (link && event.key === " ") {
      event.preventDefault();
      link.click();
    }
  });

  window.addEventListener("storage", draw);
  draw();
})();
