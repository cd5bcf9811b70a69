/*
 * Searches the site's own index (search/index.json and search/YEAR.json) where no server does.
 *
 * The rules for terms and queries are those of the program (publisher/render/terms.py, query.py,
 * marking.py), so that both find the same. What is found is put into the page as text, never as HTML.
 */
"use strict";

const publisherSearch = (() => {
  // Terms

  const LEFT_OUT = new RegExp(
    "[\\u0300-\\u036f\\u0483-\\u0489\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7" +
    "\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06ed\\u08d3-\\u08ff\\u1ab0-\\u1aff" +
    "\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe00-\\ufe0f\\ufe20-\\ufe2f\\u{e0100}-\\u{e01ef}]", "gu");
  const PLAIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l",
    "þ": "th", "ς": "σ", "\u0671": "\u0627", "\u0649": "\u064a", "\u06cc": "\u064a",
    "\u06a9": "\u0643", "\u0629": "\u0647", "\u06c1": "\u0647", "\u06d5": "\u0647",
  };
  for (const first of [0x0660, 0x06f0]) {
    for (let n = 0; n < 10; n++) PLAIN[String.fromCharCode(first + n)] = String(n);
  }
  const UNSPACED = new RegExp(
    "^[\\u0e00-\\u0fff\\u1000-\\u109f\\u1100-\\u11ff\\u1780-\\u17ff\\u3005-\\u31ff\\u3400-\\u4dbf" +
    "\\u4e00-\\u9fff\\ua960-\\ua97f\\uac00-\\ud7ff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}]", "u");
  const ARTICLE =
    /^(?:[\u0648\u0641\u0628\u0643]?\u0627\u0644|\u0644\u0644)(?=[^]{3})/u;

  const known = new Map();

  const fold = (character) => {
    if (/\p{Cf}/u.test(character)) return "";
    const lower = character.normalize("NFKD").toLowerCase().normalize("NFKD");
    const bare = Array.from(lower.replace(LEFT_OUT, ""), (c) => PLAIN[c] ?? c);
    return bare.join("").normalize("NFC");
  };

  const place = (character) => {
    if (!/[\p{L}\p{M}\p{N}]/u.test(character)) return " ";
    return UNSPACED.test(character) ? ` ${character} ` : character;
  };

  const folded = (character) => {
    let found = known.get(character);
    if (found === undefined) {
      found = Array.from(fold(character), place).join("");
      known.set(character, found);
    }
    return found;
  };

  const makeTerms = (text) =>
    Array.from(text.normalize("NFKC"), folded).join("").split(" ").filter(Boolean)
      .map((term) => term.replace(ARTICLE, ""));

  /** The terms of a text, each with its place: from where to where in it. */
  const findTerms = (text) => {
    const found = [];
    let term = "", from = 0, to = 0, at = 0;
    const end = () => {
      if (term) found.push({ term: term.replace(ARTICLE, ""), from, to });
      term = "";
    };
    for (const character of text) {
      for (const c of folded(character)) {
        if (c === " ") {
          end();
        } else {
          if (!term) from = at;
          term += c;
          to = at + character.length;
        }
      }
      at += character.length;
    }
    end();
    return found;
  };

  // Queries

  const MOST_PHRASES = 16;
  const SHORTEST_PREFIX = 2;

  const isBeginning = (term) =>
    Array.from(term).length >= SHORTEST_PREFIX && !UNSPACED.test(term);

  const parseQuery = (typed, mostCharacters) => {
    const text = Array.from(typed).slice(0, mostCharacters).join("")
      .replace(/[“”„‟«»「」『』＂]/gu, '"');
    const wanted = [], excluded = [];
    let isOpen = false;
    for (const [, minus, quoted, word] of text.matchAll(/(-?)(?:"([^"]*)"?|([^\s"]+))/gu)) {
      const terms = makeTerms(quoted || word || "");
      if (!terms.length) continue;
      (minus ? excluded : wanted).push({ terms, isOpen: false });
      isOpen = !minus && Boolean(word) && isBeginning(terms[terms.length - 1]);
    }
    if (isOpen) wanted[wanted.length - 1].isOpen = true;
    return { wanted: wanted.slice(0, MOST_PHRASES), excluded: excluded.slice(0, MOST_PHRASES) };
  };

  const isIn = (phrase, terms) =>
    terms.includes(` ${phrase.terms.join(" ")}${phrase.isOpen ? "" : " "}`);

  // A word in a title says what something is about; one in its tags or source, where it belongs.
  const WEIGHTS = [10, 4, 1];

  /** How well a row fits; 0 where it does not. */
  const rate = (row, query) => {
    const [, title, source, tags, text] = row;
    const fields = [title, `${source} ${tags}`, text].map((each) => ` ${makeTerms(each).join(" ")} `);
    if (query.excluded.some((phrase) => fields.some((field) => isIn(phrase, field)))) return 0;
    let sum = 0;
    for (const phrase of query.wanted) {
      let best = 0;
      fields.forEach((field, n) => { if (isIn(phrase, field)) best += WEIGHTS[n]; });
      if (!best) return 0;
      sum += best;
    }
    return sum;
  };

  // Marks

  /** Where a text has what is wanted, in order, what touches taken together. */
  const findHits = (text, query) => {
    const places = findTerms(text);
    const found = [];
    for (const { terms, isOpen } of query.wanted) {
      const last = terms.length - 1;
      for (let at = 0; at + last < places.length; at++) {
        const fits = (term, n) => n === last && isOpen
          ? places[at + n].term.startsWith(term) : places[at + n].term === term;
        if (terms.every(fits)) found.push([places[at].from, places[at + last].to]);
      }
    }
    found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const joined = [];
    for (const [from, to] of found) {
      const before = joined[joined.length - 1];
      if (before && from <= before[1]) before[1] = Math.max(before[1], to);
      else joined.push([from, to]);
    }
    return joined;
  };

  const write = (element, text, query) => {
    let at = 0;
    for (const [from, to] of findHits(text, query)) {
      const mark = document.createElement("mark");
      mark.textContent = text.slice(from, to);
      element.append(text.slice(at, from), mark);
      at = to;
    }
    element.append(text.slice(at));
  };

  return { makeTerms, findTerms, parseQuery, rate, write };
})();

(() => {
  const field = document.getElementById("search_text");
  const status = document.getElementById("search_status");
  const list = document.getElementById("search_results");
  const more = document.getElementById("search_more");
  const archive = document.getElementById("search_archive");
  if (!field || !status || !list || !more || !archive) return;  // a template without them

  const PAGE = 10;
  const typed = (new URLSearchParams(location.search).get("q") ?? "").trim();
  if (!typed) return;
  field.value = typed;
  document.title = `${typed} · ${document.title}`;

  const words = list.dataset;
  const language = document.documentElement.lang;
  const query = publisherSearch.parseQuery(typed, field.maxLength);
  const found = [];  // in the order in which it is shown: a later year behind an earlier one
  let years = null;  // those that were not looked through yet, newest first
  let since = 0;
  let shown = 0;

  const load = async (name) => {
    const answer = await fetch(name);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  };

  const lookThrough = ({ issues }) => {
    const some = [];
    for (const issue of issues) {
      for (const row of issue.rows) {
        const rating = publisherSearch.rate(row, query);
        if (rating) some.push({ issue, row, rating });
      }
    }
    found.push(...some.sort((a, b) => b.rating - a.rating));  // stable: the newest first
  };

  const writeDay = (day) => {
    const options = { weekday: "short", year: "numeric", month: "short", day: "numeric" };
    return new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" })
      .format(new Date(`${day}T00:00:00Z`));
  };

  const speak = (element, itsLanguage, direction, around) => {
    if (itsLanguage.toLowerCase() === around.toLowerCase()) return;
    element.lang = itsLanguage;
    element.dir = direction;
  };

  const make = (name, ...children) => {
    const element = document.createElement(name);
    element.append(...children);
    return element;
  };

  const show = ({ issue, row }) => {
    const [id, title, source, , text, itsLanguage = issue.language, direction = issue.direction] = row;
    const link = make("a");
    const [folder, name] = id ? ["highlights", id] : ["issues", issue.name];
    link.href = `../${folder}/${encodeURIComponent(name)}/`;
    link.hreflang = itsLanguage;
    publisherSearch.write(link, title, query);
    const item = make("li", make("h2", link));
    speak(item, itsLanguage, direction, language);
    if (text) {
      const lines = make("p");
      publisherSearch.write(lines, text, query);
      item.append(lines);
    }
    const time = make("time", writeDay(issue.day));
    time.dateTime = issue.day;
    const facts = make("span", time);
    if (source) facts.append(words.separator, make("bdi", source));
    const line = make("p", facts);
    line.className = "facts";
    speak(line, language, document.documentElement.dir || "ltr", itsLanguage);
    item.append(line);
    list.append(item);
    return link;
  };

  const tell = () => {
    more.hidden = shown === found.length && !years.length;
    if (!found.length) {
      status.textContent = words.nothing;
    } else {
      const form = years.length ? words.since : words.found;
      status.textContent = form.replace("{number}", found.length).replace("{year}", since);
    }
  };

  /** Show ten more, from as many years as they need. */
  const go = async () => {
    const isFirst = years === null;
    more.hidden = true;
    status.textContent = words.running;
    try {
      years ??= (await load("index.json")).years;
      while (found.length < shown + PAGE && years.length) {
        lookThrough(await load(`${String(years[0]).padStart(4, "0")}.json`));
        since = years.shift();
      }
    } catch {
      status.textContent = words.unavailable;
      archive.hidden = false;
      return;
    }
    const links = found.slice(shown, shown + PAGE).map(show);
    shown += links.length;
    tell();
    if (!isFirst) (links[0] ?? status).focus();
  };

  if (query.wanted.length) {
    status.tabIndex = -1;
    more.addEventListener("click", go);
    go();
  } else {
    status.textContent = words.noWords;
  }
})();
