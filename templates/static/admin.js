// Gives names, roles and keys to what unfold makes for eyes and a mouse alone.
"use strict";

// What a control says that shows only an icon, by the icon.
const ICON_NAMES = {
  add: "Add",
  close: "Close the menu",
  computer: "Light or dark",
  dark_mode: "Light or dark",
  delete: "Delete",
  dock_to_right: "Menu",
  light_mode: "Light or dark",
  more_horiz: "More",
  more_vert: "More",
  search: "Search",
  sync_alt: "Home",
  visibility: "View",
};
const SCROLLED_NAMES = { "nav-sidebar": "Pages", "changelist-filter": "Filters", changelist: "Rows" };

const ICON = ".material-symbols-outlined";
// Whatever is clicked and is neither a link nor a control of a form becomes a button.
const CLICKED = "[x-on\\:click]:not(a[href], button, input, select, textarea, summary, [role])";
const MADE = "[role=button]:not(a[href], button)";

function hasName(control) {
  if (control.title || control.ariaLabel || control.querySelector("img[alt]")) return true;
  const shown = control.cloneNode(true);
  shown.querySelectorAll(ICON).forEach((icon) => icon.remove());
  return !control.matches(ICON) && shown.textContent.trim() !== "";
}

function nameParts(root) {
  root.querySelectorAll(CLICKED).forEach((element) => {
    if (element.textContent.trim() === "") return; // a backdrop
    element.setAttribute("role", "button");
    element.tabIndex = 0;
  });
  root.querySelectorAll("a[href], button, [role=button]").forEach((control) => {
    if (hasName(control)) return;
    const icon = control.matches(ICON) ? control : control.querySelector(ICON);
    const name = icon && ICON_NAMES[icon.textContent.trim()];
    if (name) control.ariaLabel = name;
  });
  root.querySelectorAll("nav:not([aria-label])").forEach((nav) => {
    nav.ariaLabel = nav.id === "nav-sidebar-inner" ? "Pages" : nav.closest("#nav-sidebar") ? "Account" : "More";
  });
  root.querySelectorAll(`${ICON}:not([role])`).forEach((icon) => (icon.ariaHidden = "true"));
  // Django's boxes for choosing many.
  root.querySelectorAll("span.help-tooltip[aria-label]").forEach((sign) => (sign.role = "img"));
  // Fields in the rows of a list: their column and the row.
  root.querySelectorAll("#result_list td[data-label] :is(input:not([type=hidden]), select, textarea)").forEach((field) => {
    const row = field.closest("tr").querySelector("th");
    field.ariaLabel = [field.closest("td").dataset.label, row && row.innerText.trim()].filter(Boolean).join(": ");
  });
}

// Each scrolled part becomes a landmark, all of one name unless told.
function nameScrolled() {
  document.querySelectorAll("[data-simplebar]").forEach((part) => {
    const place = part.closest("#nav-sidebar, #changelist-filter, #changelist");
    part.dataset.simplebarAriaLabel = SCROLLED_NAMES[place && place.id] || "More";
  });
}

function watch() {
  nameParts(document);
  // Rows that are added to a form, menus that are made when they open.
  new MutationObserver((changes) => {
    if (changes.some((change) => change.addedNodes.length)) nameParts(document);
  }).observe(document.body, { childList: true, subtree: true });
}

document.addEventListener("DOMContentLoaded", nameScrolled);
document.addEventListener("alpine:initialized", watch);
document.addEventListener("keydown", (event) => {
  if ((event.key === "Enter" || event.key === " ") && event.target.matches(MADE)) {
    event.preventDefault();
    event.target.click();
  }
});

// A button that copies a field: `data-copy` is the field's id. Also on a site without https.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  document.getElementById(button.dataset.copy).select();
  if (document.execCommand("copy")) button.textContent = "Copied";
});
