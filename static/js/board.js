/* Dragging cards between the columns of a board. Each card has a form that moves it, which works
   without this file and by keyboard; a drop chooses the column there and sends it. */
(() => {
  const board = document.querySelector("[data-board]");
  if (!board) return;
  let dragged = null;
  board.querySelectorAll("[data-board-card]").forEach((card) => {
    card.draggable = true;
  });
  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-board-card]");
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    dragged.classList.add("is-dragged");
  });
  board.addEventListener("dragend", () => {
    dragged?.classList.remove("is-dragged");
    board.querySelectorAll(".is-over").forEach((column) => column.classList.remove("is-over"));
    dragged = null;
  });
  board.addEventListener("dragover", (event) => {
    const column = event.target.closest("[data-board-stage]");
    if (!dragged || !column) return;
    event.preventDefault();
    board.querySelectorAll(".is-over").forEach((other) => {
      if (other !== column) other.classList.remove("is-over");
    });
    column.classList.add("is-over");
  });
  board.addEventListener("drop", (event) => {
    const column = event.target.closest("[data-board-stage]");
    if (!dragged || !column) return;
    event.preventDefault();
    const form = dragged.querySelector("form");
    const select = form.elements.stage;
    const wanted = column.dataset.boardStage;
    if (select.value === wanted || ![...select.options].some((option) => option.value === wanted)) return;
    select.value = wanted;
    form.requestSubmit();
  });
})();
