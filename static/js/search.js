/* The search box as a combobox (ARIA APG: editable combobox with list autocomplete). htmx brings the
   suggestions; this file opens and closes the list and moves through it. Focus stays in the field. */
(() => {
  const parts = (input) => {
    const form = input.closest("[data-search-box]");
    return {
      form,
      panel: document.getElementById(`${input.id}-suggestions`),
      status: form.querySelector("[data-suggest-status]"),
    };
  };
  const options = (panel) => [...panel.querySelectorAll("[role=option]")];
  const isBox = (element) => element instanceof HTMLInputElement && element.matches("[data-listbox]");

  const setUp = (root) => {
    root.querySelectorAll("input[data-listbox]").forEach((input) => {
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-expanded", "false");
    });
  };

  const mark = (input, option) => {
    const { panel } = parts(input);
    options(panel).forEach((item) => item.setAttribute("aria-selected", String(item === option)));
    if (option) {
      input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  const close = (input) => {
    const { panel, status } = parts(input);
    panel.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-controls");
    mark(input, null);
    status.textContent = "";
  };

  const open = (input) => {
    const { panel, status } = parts(input);
    const count = options(panel).length;
    if (!count || !input.value.trim() || document.activeElement !== input) {
      close(input);
      return;
    }
    panel.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", input.dataset.listbox);
    status.textContent = `${count} ${count === 1 ? "suggestion" : "suggestions"}`;
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isBox(event.target) && !event.target.value.trim()) {
      event.preventDefault();
      close(event.target);
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const panel = event.target;
    if (!(panel instanceof Element) || !panel.matches(".search-suggestions")) return;
    const input = document.getElementById(panel.id.replace(/-suggestions$/, ""));
    if (input && !input.dataset.left) open(input);
  });
  document.addEventListener("input", (event) => {
    if (!isBox(event.target)) return;
    delete event.target.dataset.left;
    mark(event.target, null);
    if (!event.target.value.trim()) close(event.target);
  });

  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (input.closest?.("input, textarea, select, [contenteditable], dialog")) return;
      const box = [...document.querySelectorAll("input[data-listbox]")].find((item) => item.offsetParent);
      if (!box) return;
      event.preventDefault();
      box.focus();
      box.select();
      return;
    }
    if (!isBox(input) || event.isComposing) return;
    const { panel } = parts(input);
    const items = options(panel);
    const current = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!items.length) return;
      event.preventDefault();
      if (panel.hidden) open(input);
      // One step beyond either end is the field itself: no option is marked.
      const step = event.key === "ArrowDown" ? 1 : -1;
      const places = items.length + 1;
      const next = (current + 1 + step + places) % places;
      mark(input, next === 0 ? null : items[next - 1]);
    } else if (event.key === "Enter" && current >= 0 && !panel.hidden) {
      event.preventDefault();
      items[current].click();
    } else if (event.key === "Enter") {
      input.dataset.left = "1"; // An answer that arrives after this must not open the list again.
      close(input);
    } else if (event.key === "Escape" && !panel.hidden) {
      event.preventDefault();
      close(input);
    } else if (event.key === "Tab") {
      close(input);
    }
  });

  document.addEventListener("focusin", (event) => {
    if (!isBox(event.target)) return;
    delete event.target.dataset.left;
    open(event.target);
  });
  document.addEventListener("pointerdown", (event) => {
    document.querySelectorAll('input[data-listbox][aria-expanded="true"]').forEach((input) => {
      if (!parts(input).form.contains(event.target)) close(input);
    });
  });

  setUp(document);
  document.addEventListener("htmx:load", (event) => setUp(event.detail.elt));
})();
