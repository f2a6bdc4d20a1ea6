// The page works without this: it only sends the form while you write, keeps line numbers, and takes dropped files.
"use strict";

const form = document.getElementById("sheet");
const rule = document.getElementById("rule");
const gutter = document.getElementById("gutter");
const result = document.getElementById("result");
const said = document.getElementById("said");
const saved = { text: form.elements.base.value ? rule.value : "" }; // a new rule is saved nowhere yet
const PAUSE = 600;
const text = form.elements.text;
const tab = crypto.randomUUID();
let waiting, running, turn = 0, borrowed = text.value !== "";

function say(what) {
  said.textContent = what;
}

function number() {
  const lines = rule.value.split("\n").length;
  if (gutter.dataset.lines !== String(lines)) {
    gutter.textContent = Array.from({ length: lines }, (_, line) => line + 1).join("\n");
    gutter.dataset.lines = lines;
  }
  gutter.scrollTop = rule.scrollTop;
  const edited = rule.value !== saved.text;
  document.getElementById("edited").hidden = !edited;
  document.getElementById("state").hidden = edited;
}

async function show(wish) {
  clearTimeout(waiting);
  running?.abort();
  const mine = running = new AbortController();
  const sent = rule.value;
  const body = new URLSearchParams(new FormData(form));
  body.set("do", wish);
  result.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch("/", { method: "POST", body, headers: { part: "result", turn: tab + " " + ++turn }, signal: mine.signal });
    if (!answer.headers.get("content-type").startsWith("text/html")) throw new Error(await answer.text());
    result.innerHTML = await answer.text();
    if (wish === "save" && answer.ok) {
      saved.text = sent;
      document.getElementById("edited").textContent = "edited, not saved";
      form.elements.base.value = result.querySelector("[data-base]").dataset.base;
    }
    const note = result.querySelector("[data-said]");
    const faults = result.querySelectorAll(".faults li").length;
    say(note ? note.dataset.said : faults ? faults + (faults === 1 ? " fault" : " faults") : "No fault.");
    number();
    const news = result.querySelector(".news");
    if (news) result.scrollTop = 0;
    if (news && wish !== "hear" && result.getBoundingClientRect().top > innerHeight / 2) news.scrollIntoView();
  } catch (error) {
    if (error.name === "AbortError") return;
    const told = document.createElement("p");
    told.className = "note bad";
    told.textContent = error instanceof TypeError ? "The studio does not answer: has it been ended?" : error.message;
    result.replaceChildren(told);
    say(told.textContent);
  } finally {
    if (running === mine) result.setAttribute("aria-busy", "false");
  }
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(() => show("hear"), PAUSE);
}

function go(line, column) {
  const before = rule.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  const at = Math.min(before + column - 1, rule.value.length);
  rule.focus();
  rule.setSelectionRange(at, at);
  rule.scrollTop = Math.max(0, (line - 6) * (rule.scrollHeight / rule.value.split("\n").length));
}

// What an article in the form was called, when and by whom it was published, is not so of another one.
function own() {
  for (const name of ["title", "source", "published", "url"]) form.elements[name].value = "";
  if (form.elements.seed) form.elements.seed.value = "";
  borrowed = false;
}

async function take(address, body, called) {
  const answer = await fetch(address, { method: "POST", body });
  const told = answer.headers.get("content-type").startsWith("application/json") ? await answer.json() : { fault: await answer.text() };
  if (told.fault) {
    const note = document.createElement("p");
    note.className = "note bad";
    note.textContent = told.fault;
    result.prepend(note);
    say(told.fault);
    return;
  }
  for (const [name, value] of Object.entries(told.fields)) form.elements[name].value = value;
  if (form.elements.seed && body) form.elements.seed.value = "";
  borrowed = true;
  say(called + (told.more ? ": the first of " + (told.more + 1) + " articles" : " is read"));
  show("hear");
}

function drop(file) {
  if (file) take("/read?name=" + encodeURIComponent(file.name), file, file.name);
}

document.documentElement.classList.add("live");
number();
rule.addEventListener("scroll", () => { gutter.scrollTop = rule.scrollTop; });
form.addEventListener("input", (event) => {
  if (event.target.id === "open" || event.target.id === "seed" || event.target.id === "drop" || event.target.closest("#new")) return;
  number();
  later();
});
form.addEventListener("submit", (event) => {
  const wish = event.submitter?.value ?? "hear";
  if (wish === "new" && !left()) {
    event.preventDefault();
    return;
  }
  if (wish === "open" || wish === "load" || wish === "new") return;
  event.preventDefault();
  show(wish);
});
function left() {
  if (rule.value !== saved.text && !confirm("Your edit of " + form.elements.file.value + " is not saved. Leave it?")) return false;
  saved.text = rule.value;
  return true;
}

document.getElementById("new").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
  event.preventDefault();
  form.requestSubmit(form.querySelector('button[value="new"]'));
});
document.getElementById("open").addEventListener("change", (event) => {
  if (!left()) {
    event.target.value = form.elements.file.value;
    return;
  }
  form.requestSubmit(form.querySelector('button[value="open"]'));
});
document.getElementById("seed")?.addEventListener("change", (event) => {
  if (event.target.value) {
    take("/seed?name=" + encodeURIComponent(event.target.value), null, event.target.selectedOptions[0].text);
    return;
  }
  own();
  text.value = "";
  text.focus();
  show("hear");
});
text.addEventListener("beforeinput", (event) => {
  const whole = text.selectionStart === 0 && text.selectionEnd === text.value.length;
  if (borrowed && whole && (event.inputType === "insertFromPaste" || event.data?.length > 1)) own();
});
document.getElementById("drop").addEventListener("change", (event) => drop(event.target.files[0]));
result.addEventListener("click", (event) => {
  const place = event.target.closest(".goto");
  if (place) go(Number(place.dataset.line), Number(place.dataset.column));
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey)) return;
  const wish = { Enter: "hear", s: "save" }[event.key];
  if (!wish) return;
  event.preventDefault();
  show(wish);
});
for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, (event) => {
  if (kind === "drop" || !event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  drop(event.dataTransfer.files[0]);
});
addEventListener("beforeunload", (event) => {
  if (rule.value !== saved.text) event.preventDefault();
});
for (const theme of document.getElementsByName("theme")) {
  theme.checked = theme.value === (localStorage.getItem("theme") ?? "auto");
  theme.addEventListener("change", () => localStorage.setItem("theme", theme.value));
}
