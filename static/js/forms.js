/* Help while filling in a form: counters, rows, files, autosave, a word before leaving. The server
   decides everything again. Loaded by app.js where a page has such a form. */
(() => {
  /* Length counters: count what the server counts, characters rather than UTF-16 units. */
  const count = (control) => {
    const note = document.getElementById(control.dataset.counter);
    if (!note) return;
    const max = Number(note.dataset.max);
    const used = [...control.value.replace(/\r\n/g, "\n")].length;
    note.textContent = used > max
      ? `${(used - max).toLocaleString("en")} too many`
      : `${used.toLocaleString("en")} of ${max.toLocaleString("en")}`;
    note.classList.toggle("is-over", used > max);
    note.classList.toggle("is-near", used <= max && used > max * 0.9);
  };
  const countAll = (root) => root.querySelectorAll("[data-counter]").forEach(count);
  document.addEventListener("input", (event) => {
    if (event.target.dataset?.counter) count(event.target);
  });

  /* Repeatable rows: the same buttons that submit without JavaScript work in place. */
  const rowsOf = (box) => [...box.querySelectorAll(":scope > [data-rows] > [data-row]")];
  const renumber = (box) => {
    const name = box.dataset.repeatable;
    const own = new RegExp(`(^|[^\\w-])?${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}-\\d+`, "g");
    rowsOf(box).forEach((row, index) => {
      row.setAttribute("aria-label", row.getAttribute("aria-label").replace(/\d+$/, index + 1));
      row.querySelectorAll("[name], [id], [for], [aria-describedby], [data-counter], [data-repeatable], [data-remove-row]").forEach((element) => {
        for (const attribute of ["name", "id", "for", "aria-describedby", "data-counter", "data-repeatable"]) {
          const value = element.getAttribute(attribute);
          if (value) element.setAttribute(attribute, value.replace(own, (_, lead = "") => `${lead}${name}-${index}`));
        }
        if (element.matches("[data-remove-row]")) {
          element.value = `${name}-${index}`;
          const text = element.querySelector(".visually-hidden");
          text.textContent = text.textContent.replace(/\d+$/, index + 1);
        }
      });
    });
    const max = Number(box.dataset.maxRows || Infinity);
    box.querySelector(":scope > [data-add-row]").disabled = rowsOf(box).length >= max;
  };
  const clear = (row) => {
    row.querySelectorAll("input, textarea, select").forEach((control) => {
      if (control.matches("[type=checkbox], [type=radio]")) control.checked = control.defaultChecked = false;
      else if (control.matches("select")) control.selectedIndex = 0;
      else if (control.type !== "hidden" || /-id$/.test(control.name)) control.value = "";
      control.removeAttribute("aria-invalid");
    });
    row.querySelectorAll(".form-error").forEach((error) => error.remove());
    row.querySelectorAll(".has-error").forEach((field) => field.classList.remove("has-error"));
  };
  const say = (box, text) => { box.querySelector("[data-row-status]").textContent = text; };
  const changed = (box) => box.dispatchEvent(new Event("input", { bubbles: true }));

  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-add-row]");
    const remove = event.target.closest("[data-remove-row]");
    const box = (add ?? remove)?.closest("[data-repeatable]");
    if (!box) return;
    const rows = rowsOf(box);
    if (add) {
      if (!rows.length) return; // Nothing to copy: let the server make the first row.
      event.preventDefault();
      const row = rows.at(-1).cloneNode(true);
      clear(row);
      box.querySelector(":scope > [data-rows]").append(row);
      renumber(box);
      countAll(row);
      row.querySelector("input:not([type=hidden]), textarea, select")?.focus();
      say(box, `Row ${rows.length + 1} added`);
    } else {
      event.preventDefault();
      const row = remove.closest("[data-row]");
      const place = rows.indexOf(row);
      if (rows.length <= Math.max(1, Number(box.dataset.minRows))) clear(row);
      else row.remove();
      renumber(box);
      const left = rowsOf(box);
      (left[Math.min(place, left.length - 1)]?.querySelector("[data-remove-row]") ?? box.querySelector("[data-add-row]")).focus();
      say(box, `Row ${place + 1} removed`);
    }
    changed(box);
  });

  /* Files: drop, preview, and an early word on the size. */
  const size = (bytes) => bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
  const showFile = (box) => {
    const input = box.querySelector("input[type=file]");
    const status = box.querySelector("[data-file-status]");
    const preview = box.querySelector("[data-file-preview]");
    const files = [...input.files];
    const max = Number(box.dataset.maxBytes || Infinity);
    const big = files.find((file) => file.size > max);
    status.classList.toggle("is-error", Boolean(big));
    if (big) {
      status.textContent = `${big.name} is ${size(big.size)}; the most is ${size(max)}. Choose a smaller file.`;
      input.value = "";
      input.setAttribute("aria-invalid", "true");
      return;
    }
    input.removeAttribute("aria-invalid");
    status.textContent = files.map((file) => `${file.name} (${size(file.size)})`).join(", ");
    if (!files.length) return;
    preview.replaceChildren();
    preview.hidden = true;
    for (const file of files.filter((item) => /^image\/(png|jpeg|webp|gif)$/.test(item.type))) {
      // A data: address, because the content policy lets images come from 'self' and data: only.
      const reader = new FileReader();
      reader.addEventListener("load", () => {
        const image = new Image();
        image.src = reader.result;
        image.alt = `Preview of ${file.name}`;
        preview.append(image);
        preview.hidden = false;
      });
      reader.readAsDataURL(file);
    }
  };
  document.addEventListener("change", (event) => {
    const box = event.target.closest?.("[data-file-drop]");
    if (box) showFile(box);
  });
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      const box = event.target.closest?.("[data-file-drop]");
      if (!box) return;
      event.preventDefault();
      box.classList.toggle("is-over", type === "dragenter" || type === "dragover");
      if (type !== "drop" || !event.dataTransfer.files.length) return;
      const input = box.querySelector("input[type=file]");
      const chosen = new DataTransfer();
      [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1).forEach((file) => chosen.items.add(file));
      input.files = chosen.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  /* Autosave: 1.5 s after the last change; one request at a time; a conflict stops it. */
  const autosave = (form) => {
    const status = form.querySelector("[data-autosave-status]");
    let timer = null;
    let running = false;
    let again = false;
    let stopped = false;
    const tell = (state, text) => {
      form.dataset.autosaveState = state;
      if (!status) return;
      status.dataset.state = state;
      status.textContent = text;
    };
    const save = async () => {
      if (stopped) return;
      if (running) {
        again = true;
        return;
      }
      running = true;
      again = false;
      tell("saving", "Saving");
      const body = new FormData(form);
      [...body.entries()].forEach(([key, value]) => { if (value instanceof File) body.delete(key); });
      const token = form.querySelector("[name=csrf_token]")?.value ?? document.querySelector('meta[name="csrf-token"]')?.content ?? "";
      try {
        const answer = await fetch(form.dataset.autosaveUrl, { method: "POST", body, headers: { "X-CSRFToken": token, Accept: "application/json" } });
        const data = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
        if (answer.redirected || answer.status === 401 || answer.status === 403) {
          stopped = true;
          tell("failed", "Not saved: you are signed out. Copy your text before you reload.");
        } else if (answer.status === 409) {
          stopped = true;
          tell("conflict", data.message ?? "Someone else changed this. Copy your text, then reload the page.");
        } else if (answer.status === 422) {
          tell("waiting", data.message ?? "Not saved yet: some answers need another look.");
        } else if (!answer.ok) {
          throw new Error(`Autosave answered ${answer.status}`);
        } else {
          Object.entries(data).forEach(([key, value]) => {
            const control = form.elements.namedItem(key);
            if (control instanceof HTMLInputElement && control.type === "hidden") control.value = value;
          });
          if (!again) delete form.dataset.dirty;
          tell("saved", "Draft saved");
        }
      } catch {
        tell("failed", "Not saved. Trying again.");
        timer = setTimeout(save, 8000);
      } finally {
        running = false;
        if (again) save();
      }
    };
    form.addEventListener("input", () => {
      if (stopped) return;
      tell("waiting", "Not saved yet");
      clearTimeout(timer);
      timer = setTimeout(save, 1500);
    });
    form.addEventListener("submit", () => {
      stopped = true;
      clearTimeout(timer);
    });
  };

  /* A word before leaving with unsaved changes. */
  const guard = (form) => {
    form.addEventListener("input", () => { form.dataset.dirty = "1"; });
    form.addEventListener("submit", () => { delete form.dataset.dirty; });
  };
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-guard][data-dirty]")) event.preventDefault();
  });

  const setUp = (root) => {
    countAll(root);
    root.querySelectorAll("form[data-autosave-url]:not([data-ready])").forEach(autosave);
    root.querySelectorAll("form[data-guard]:not([data-ready])").forEach(guard);
    root.querySelectorAll("form[data-autosave-url], form[data-guard]").forEach((form) => { form.dataset.ready = "1"; });
  };
  setUp(document);
  document.addEventListener("htmx:load", (event) => setUp(event.detail.elt.parentElement ?? document));
})();
