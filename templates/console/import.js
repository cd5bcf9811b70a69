// While a file is looked at or imported, show how far it is; without this, a link does.
"use strict";

const EVERY_MILLISECONDS = 1500;

async function look() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  } catch {
    return again(); // the console restarts, or the network is away
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("#upload [role=status]");
  const shown = document.querySelector("#upload [role=status]");
  if (!answer.ok || !fresh) return location.reload();
  const [from, to] = [fresh, shown].map((each) => each.querySelector("progress"));
  to.max = from.max;
  to.value = from.value;
  shown.querySelector("label").textContent = fresh.querySelector("label").textContent;
  again();
}

function again() {
  setTimeout(look, EVERY_MILLISECONDS);
}

again();
