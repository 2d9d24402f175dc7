// While a workflow or a letter is written, its words are looked at again, a moment after the last key. Without this
// script the button "Check the words" does the same.
const form = document.getElementById("editor");
const button = form.querySelector('button[value="look"]');
let waiting;
let asked = 0;

async function look() {
  const mine = ++asked;
  const typed = new URLSearchParams(new FormData(form));
  typed.set("act", "look");
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body: typed, credentials: "same-origin" });
  if (!answer.ok || mine !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("found");
  if (found) document.getElementById("found").replaceChildren(...found.childNodes);
}

if (button) {
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => look().catch(() => {}), 400);
  });
}
