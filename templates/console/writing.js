// While an issue is written: shows how it will look and what is wrong with it, leads to lines, and
// keeps somebody from leaving with what is not saved. All of it is on the page without this too.
"use strict";

const form = document.getElementById("writing");
const text = document.getElementById("text");
const frame = document.getElementById("frame");
const view = document.getElementById("view");
const state = document.getElementById("state");
const problems = document.getElementById("problems");

const NAMES = { error: ["error", "errors"], warning: ["warning", "warnings"], info: ["note", "notes"] };
const WAIT = 500;  // milliseconds without a letter

let saved = text.dataset.unsaved ? null : text.value;
let timer = 0;
let asked = 0;  // answers may overtake each other

document.getElementById("live").hidden = false;

function make(name, content, kind) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  // What stands between backticks is code.
  const pieces = (content.charAt(0).toUpperCase() + content.slice(1)).split("`");
  pieces.forEach((piece, at) => {
    if (at % 2 && at < pieces.length - 1) {
      element.append(Object.assign(document.createElement("code"), { textContent: piece }));
    } else {
      element.append(at % 2 ? "`" + piece : piece);
    }
  });
  return element;
}

function showProblems(found) {
  const parts = [];
  for (const level of Object.keys(NAMES)) {
    const some = found.filter((problem) => problem.level === level);
    if (!some.length) continue;
    parts.push(make("h3", `${some.length} ${NAMES[level][some.length === 1 ? 0 : 1]}`));
    const list = make("ul", "", "problems");
    for (const problem of some) {
      const item = make("li", "", level);
      item.append(make("p", problem.message), make("p", problem.fix, "fix"));
      if (problem.line) {
        const link = make("a", `Line ${problem.line}`);
        link.href = "#text";
        link.dataset.line = problem.line;
        const place = make("p", "", "place");
        place.append(link);
        item.append(place);
      }
      list.append(item);
    }
    parts.push(list);
  }
  problems.replaceChildren(...(parts.length ? parts : [make("p", "Nothing is wrong with it.", "faint")]));
}

function lineOf(place) {
  return text.value.slice(0, place).split("\n").length;
}

async function look() {
  const number = ++asked;
  const body = new URLSearchParams({ text: text.value, view: view.value });
  body.set("_csrf_token", form.elements._csrf_token.value);
  let answer;
  try {
    const response = await fetch(form.dataset.preview, { method: "POST", body });
    if (!response.ok) throw new Error(response.status);
    answer = await response.json();
  } catch {
    if (number === asked) state.textContent = "The preview is not answering; saving may still work.";
    return;
  }
  if (number !== asked) return;
  say();
  if (answer.problems === null) {
    state.textContent = "Too long to be shown while you write: press Check.";
    return;
  }
  showProblems(answer.problems);
  if (!answer.frame) return;
  // The highlight that is being written comes into sight.
  const line = lineOf(text.selectionStart);
  const here = (answer.places || []).filter((place) => place.line <= line).pop();
  frame.src = answer.frame + (here ? `#${here.id}` : "");
}

function say() {
  state.textContent = text.value === saved ? "" : "Not saved yet";
}

function lookSoon() {
  say();
  clearTimeout(timer);
  timer = setTimeout(look, WAIT);
}

function goTo(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] || "").length);
  // Lines that are wrapped are higher, so this is near rather than exact.
  text.scrollTop = Math.max(0, (text.scrollHeight * (line - 3)) / lines.length);
}

text.addEventListener("input", lookSoon);
view.addEventListener("change", look);

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line]");
  if (!link) return;
  event.preventDefault();
  goTo(Number(link.dataset.line));
});

text.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    form.querySelector("button[value=save]").click();
  }
});

form.addEventListener("submit", () => {
  saved = text.value;
});

window.addEventListener("beforeunload", (event) => {
  if (text.value !== saved) event.preventDefault();
});

if (text.dataset.line) goTo(Number(text.dataset.line));
look();
