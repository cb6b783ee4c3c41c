"use strict";

// A deal is dropped on a column: the same request as its form's, then the page anew.
function moveDeal(id, stage) {
  const field = document.querySelector(".board").dataset.field;
  const body = new URLSearchParams({ [field]: stage });
  return fetch(`/deals/${id}`, { method: "POST", body }).then((answer) => {
    if (answer.ok) return refresh();
    location.reload();
    return undefined;
  });
}

document.addEventListener("dragstart", (event) => {
  const card = event.target.closest("[data-deal]");
  if (!card) return;
  event.dataTransfer.setData("text/plain", card.dataset.deal);
  event.dataTransfer.effectAllowed = "move";
  card.classList.add("moving");
});

document.addEventListener("dragend", () => {
  document.querySelectorAll(".moving, .over").forEach((each) => each.classList.remove("moving", "over"));
});

document.addEventListener("dragover", (event) => {
  const column = event.target.closest("[data-stage]");
  if (!column) return;
  event.preventDefault();
  document.querySelectorAll(".over").forEach((each) => each !== column && each.classList.remove("over"));
  column.classList.add("over");
});

document.addEventListener("drop", (event) => {
  const column = event.target.closest("[data-stage]");
  const id = event.dataTransfer.getData("text/plain");
  if (!column || !/^[0-9]+$/.test(id)) return;
  event.preventDefault();
  moveDeal(id, column.dataset.stage);
});

// On the board a choice is enough; the button is for those without script.
document.addEventListener("change", (event) => {
  const form = event.target.closest(".deal form");
  if (form) form.requestSubmit();
});

// A slider says its number while it is moved; one that is on counts at once.
document.addEventListener("input", (event) => {
  const output = event.target.closest("label")?.querySelector("output");
  if (output) output.value = `${event.target.value} %`;
  event.target.closest("form.trouble")?.classList.add("moving");
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form.trouble[data-on=true]");
  if (form) retune(form);
});

// Without leaving the page: whoever moves a slider with the keyboard stays on it.
async function retune(form) {
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (answer.ok) form.classList.remove("moving");
  else location.reload();
}

// New tasks and moved deals show up by themselves, unless somebody is at work on the page.
function isBusy() {
  return document.hidden || document.querySelector(".moving, details[open], main :focus");
}

let latest = null;
async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main").innerHTML;
  const main = document.querySelector("main");
  latest ??= main.innerHTML;
  if (fresh === latest) return;
  const scrolled = document.querySelector(".board")?.scrollLeft;
  main.innerHTML = latest = fresh;
  if (scrolled) document.querySelector(".board").scrollLeft = scrolled;
}

setInterval(() => {
  if (!isBusy()) refresh().catch(() => {});
}, 2000);
