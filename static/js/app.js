/* What every page may need: htmx with the CSRF token, toasts, menus, dialogs, copy, dismiss, print.
   All of it is delegated from the document, so that parts swapped in by htmx work too. */
(() => {
  const script = document.currentScript;

  const toast = (message, tone = "info") => {
    const region = document.getElementById("toasts");
    if (!region || !message) return;
    const note = document.createElement("div");
    note.className = `toast toast-${tone}`;
    const text = document.createElement("p");
    text.textContent = message;
    note.append(text);
    region.append(note);
    setTimeout(() => note.remove(), tone === "danger" ? 9000 : 5000);
  };
  document.addEventListener("toast", (event) => toast(event.detail.message, event.detail.tone));

  /* htmx */
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.addEventListener("htmx:responseError", (event) => {
    const { status } = event.detail.xhr;
    if (event.detail.elt.matches("[data-listbox]")) return; // Suggestions fail quietly: the search still works.
    if (status === 401 || status === 403) toast("You are signed out or may not do this. Reload the page.", "danger");
    else if (status === 429) toast("Too many requests. Please wait a moment.", "warning");
    else toast("That did not work. Please try again.", "danger");
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (!event.detail.elt.matches("[data-listbox]")) toast("No connection. Please try again.", "danger");
  });

  /* Menus: native <details>; only one stays open */
  const closeMenus = (except) => {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (menu !== except) menu.open = false;
    });
  };

  document.addEventListener("click", (event) => {
    const target = event.target;
    closeMenus(target.closest("details[data-menu]"));

    const opener = target.closest("[data-dialog-open]");
    const plain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);
    if (opener && plain) {
      const dialog = document.getElementById(opener.dataset.dialogOpen);
      if (dialog && dialog.showModal) {
        event.preventDefault();
        dialog.showModal();
      }
    }
    if (target.closest("[data-dialog-close]") || (target.matches("dialog.dialog") && outside(target, event))) {
      target.closest("dialog").close();
    }
    const dismiss = target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(".alert").remove();
    if (target.closest("[data-print]")) window.print();
    const copier = target.closest("[data-copy], [data-copy-target]");
    if (copier) copy(copier);
  });

  const outside = (dialog, event) => {
    const box = dialog.getBoundingClientRect();
    return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details[data-menu][open]");
    if (menu) menu.querySelector("summary").focus();
    closeMenus();
  });

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copyTarget);
    const text = button.dataset.copy ?? source?.value ?? source?.textContent ?? "";
    const label = button.querySelector("[data-copy-label]") ?? button;
    const before = label.dataset.before ?? label.textContent;
    label.dataset.before = before;
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
    } catch {
      source?.select?.();
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { label.textContent = before; }, 2000);
  };

  /* Forms that send themselves, e.g. the sort order */
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form && event.target.matches("select, input[type=checkbox], input[type=radio]")) form.requestSubmit();
  });

  /* A form sent once is not sent twice by an impatient second click. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  /* The current tab is in sight where the tabs scroll. */
  document.querySelectorAll(".tabs").forEach((tabs) => {
    const current = tabs.querySelector(".tab[aria-current]")?.getBoundingClientRect();
    const frame = tabs.getBoundingClientRect();
    if (current && current.right > frame.right) tabs.scrollLeft += current.left - frame.left - 24;
  });

  /* Filters that start closed on narrow screens */
  const wide = matchMedia("(width >= 992px)");
  const fold = (root) => root.querySelectorAll("details.filters-toggle").forEach((box) => { box.open = wide.matches; });
  wide.addEventListener("change", () => fold(document));
  fold(document);
  document.addEventListener("htmx:load", (event) => fold(event.detail.elt));

  document.querySelector("[data-error-summary]:not([data-sample] *)")?.focus();

  /* Form helpers are fetched where there is a form that uses them. */
  const needsForms = "[data-counter], [data-repeatable], [data-file-drop], form[data-autosave-url], form[data-guard]";
  const loadForms = () => {
    if (!script.dataset.forms || !document.querySelector(needsForms)) return;
    const tag = document.createElement("script");
    tag.src = script.dataset.forms;
    document.head.append(tag);
    script.dataset.forms = "";
  };
  loadForms();
  document.addEventListener("htmx:load", loadForms);
})();
