// The page: what the server says is open, what a person does with it.

import { ask, lines, peek, post, Told, upload } from "./server.js";
import { ink, Stage } from "./stage.js";
import { Timeline } from "./timeline.js";
import { recordClip } from "./recorder.js";

const byId = (id) => document.getElementById(id);
const page = { state: null, stages: [], chosen: 1, tracking: null };
const timeline = new Timeline(() => draw());

const tool = () => document.querySelector("[name=tool]:checked").value;
const chosenObject = () => page.state.objects.find((object) => object.id === page.chosen);

function tell(error) {
  byId("error").hidden = !error;
  if (!error) return;
  if (!(error instanceof Told)) console.error(error);
  byId("error").textContent = error.message;
}

function say(text) {
  byId("status").textContent = text;
}

// Whatever a person does goes through here: its error is told, and the one before goes.
const handler = (act) => async (...given) => {
  tell(null);
  try {
    await act(...given);
  } catch (error) {
    if (error.name !== "AbortError") tell(error);
  }
};

function draw() {
  if (!timeline.clip || !page.state?.clip) return;
  for (const stage of page.stages) {
    stage.draw(timeline.shown(), timeline.frame, page.state.objects, page.chosen);
  }
}

function show(state) {
  page.state = state;
  for (const object of state.objects) {
    object.prompted = (object.sound && object.weight > 0) || Object.keys(object.frames).length > 0;
  }
  if (!chosenObject()) page.chosen = state.objects[0]?.id ?? 0;
  showObjects();
  const closed = !state.clip;
  for (const id of ["add", "undo", "clear", "export", "play", "back", "forward", "frame"]) {
    byId(id).disabled = closed;
  }
  draw();
}

function opened(state) {
  if (page.stages.length !== state.runs.length) {
    page.stages = state.runs.map((run) => new Stage(run, {
      click: (x, y, negative) => click(x, y, negative),
      box: (x0, y0, x1, y1) => change("box", { frame: timeline.frame, x0, y0, x1, y1 }),
      boxing: () => tool() === "box",
      undo: () => change("undo", { frame: timeline.frame }),
      redraw: draw,
    }));
    byId("stages").replaceChildren(...page.stages.map((stage) => stage.element));
  }
  page.chosen = 1;
  for (const stage of page.stages) stage.open(state.clip);
  byId("clip-name").textContent = state.clip.name;
  byId("expression-field").hidden = !state.readsText;
  byId("fps").value = state.clip.fps ?? "";
  byId("notices").hidden = !state.clip.notices.length;
  byId("notices").replaceChildren(...state.clip.notices.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  page.state = state;
  timeline.open(state.clip);
  show(state);
  track();
}

// A file, or by its address what the server has, as the fields beside it say.
async function open(clip) {
  page.tracking?.abort();
  const text = byId("expression").value.trim();
  if (page.state.readsText && !text) {
    byId("expression").focus();
    throw new Told("This model looks for what an expression says: write one, then open a clip.");
  }
  const asked = `fps=${byId("fps").value}&text=${encodeURIComponent(text)}`;
  const progress = (share) => say(share < 1 ? `Sending, ${Math.round(100 * share)} %` : "Opening…");
  progress(1);
  try {
    if (typeof clip === "string") opened(await post(`/api/${clip}?${asked}`));
    else if (clip.size > page.state.uploadMb * 1e6) {
      throw new Told(`'${clip.name}' is larger than ${page.state.uploadMb} MB, the limit of this page.`);
    } else {
      opened(await upload(`/api/clip?name=${encodeURIComponent(clip.name)}&${asked}`, clip, progress));
    }
  } catch (error) {
    say("");
    if (page.state.clip) track();
    throw error;
  }
}

// Masks of all frames as they come; a change begins anew.
async function track() {
  page.tracking?.abort();
  const tracking = new AbortController();
  page.tracking = tracking;
  page.complete = false;
  const { runs, clip, objects } = page.state;
  const frames = clip.times.length;
  const progress = byId("progress");
  const done = new Set(); // both ways from a click, its frame is answered twice
  progress.hidden = false;
  if (!objects.some((object) => object.prompted)) {
    progress.hidden = true;
    say("Click on the picture to begin.");
    return;
  }
  try {
    for await (const found of lines("/api/masks", tracking.signal)) {
      if (tracking.signal.aborted) return;
      if (found.error) throw new Told(found.error);
      if (found.done) {
        page.complete = true;
        break;
      }
      page.stages[runs.indexOf(found.run)].put(found, true);
      done.add(`${found.run} ${found.frame}`);
      progress.value = done.size / (frames * runs.length);
      say(`Masks of ${Math.floor(done.size / runs.length)} of ${frames} frames`);
      if (found.frame === timeline.frame) draw();
    }
    if (tracking.signal.aborted) return;
    say(page.complete ? "All frames have masks." : "Another window of this browser goes on.");
    progress.hidden = true;
  } catch (error) {
    if (error.name !== "AbortError" && !tracking.signal.aborted) tell(error);
  }
}

const change = handler(async (what, body = {}) => {
  if (!page.state?.clip) return;
  page.tracking?.abort();
  let state;
  try {
    state = await post(`/api/objects/${page.chosen}/${what}`, body);
  } catch (error) {
    track();
    throw error;
  }
  for (const found of state.masks) page.stages[state.runs.indexOf(found.run)].put(found, false);
  show(state);
  track();
});

function click(x, y, negative) {
  const positive = !negative && tool() !== "negative";
  timeline.pause();
  change("point", { frame: timeline.frame, x, y, positive });
}

function showObjects() {
  const focused = document.activeElement?.dataset?.key;
  byId("objects").replaceChildren(...page.state.objects.map(objectRow));
  if (focused) document.querySelector(`[data-key="${focused}"]`)?.focus();
}

const made = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

function objectRow(object) {
  const swatch = made("span", { className: "swatch" });
  swatch.style.background = ink(object);
  const choose = made("input", {
    type: "radio", name: "object", checked: object.id === page.chosen,
    onchange: () => { page.chosen = object.id; showObjects(); draw(); },
  });
  choose.dataset.key = `choose${object.id}`;
  const remove = made("button", {
    type: "button", textContent: "Remove", disabled: page.state.objects.length === 1,
    onclick: handler(async () => { page.tracking?.abort(); show(await ask(`/api/objects/${object.id}`, { method: "DELETE" })); track(); }),
  });
  remove.setAttribute("aria-label", `Remove object ${object.id}`);
  const row = made("li", { className: object.id === page.chosen ? "chosen" : "" },
    made("div", { className: "object" },
      made("label", {}, choose, swatch, `Object ${object.id}`), remove));
  if (page.state.clip?.peaks.length) row.append(hearing(object));
  return row;
}

function hearing(object) {
  const on = made("input", { type: "checkbox", checked: object.sound });
  const weight = made("input", { type: "range", min: 0, max: 2, step: 0.1, value: object.weight, disabled: !object.sound });
  const shown = made("output", { textContent: object.weight.toFixed(1) });
  weight.setAttribute("aria-label", `Weight of the sound for object ${object.id}`);
  on.dataset.key = `sound${object.id}`;
  weight.dataset.key = `weight${object.id}`;
  const set = () => {
    page.chosen = object.id;
    change("sound", { on: on.checked, weight: Number(weight.value) });
  };
  on.onchange = set;
  weight.onchange = set;
  weight.oninput = () => { shown.textContent = Number(weight.value).toFixed(1); };
  return made("div", { className: "hearing" },
    made("label", {}, on, " hears the sound"), weight, shown);
}

byId("file").addEventListener("change", handler(async (event) => {
  const [file] = event.target.files;
  event.target.value = ""; // so that the same file can be chosen again
  if (file) await open(file);
}));
byId("example").addEventListener("click", handler(() => open("example")));
byId("record").addEventListener("click", handler(async () => {
  timeline.pause();
  const file = await recordClip();
  if (file) await open(file);
}));
for (const id of ["fps", "expression"]) {
  byId(id).addEventListener("change", handler(() => open(page.state.clip ? "again" : "example")));
}
byId("add").addEventListener("click", handler(async () => {
  page.tracking?.abort();
  const state = await post("/api/objects");
  page.chosen = state.added;
  show(state);
  track();
}));
byId("undo").addEventListener("click", () => change("undo", { frame: timeline.frame }));
byId("clear").addEventListener("click", () => change("clear"));
byId("export").addEventListener("click", handler(async () => {
  const button = byId("export");
  page.tracking?.abort();
  button.disabled = true;
  const tellShare = (share) => {
    say(`Writing masks, overlay and tables, ${Math.floor(100 * share)} %`);
    byId("progress").value = share;
  };
  tellShare(0);
  byId("progress").hidden = false;
  const watching = setInterval(() => {
    peek("/api/exported").then(({ share }) => { if (button.disabled) tellShare(share); }, () => {});
  }, 400);
  try {
    const { clip } = await post("/api/export");
    made("a", { href: `/api/clip/${clip.key}/export.zip`, download: "" }).click();
    say("Exported.");
  } finally {
    clearInterval(watching);
    button.disabled = false;
    byId("progress").hidden = true;
    if (!page.complete) track();
  }
}));
for (const radio of document.querySelectorAll("[name=tool]")) {
  radio.addEventListener("change", () => document.body.classList.toggle("boxing", tool() === "box"));
}
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", handler(async (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) await open(file);
}));
new ResizeObserver(() => { draw(); if (timeline.clip) timeline.say(timeline.clip.times[timeline.frame]); }).observe(byId("stages"));

handler(async () => {
  const state = await ask("/api/state");
  if (state.clip) opened(state);
  else {
    show(state);
    byId("expression-field").hidden = !state.readsText;
    await open("example");
  }
})();
