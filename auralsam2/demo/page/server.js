// What the page asks of its server. Requests are sent one after the other: each may rest on the
// one before.

let last = Promise.resolve();

export class Told extends Error {}

async function answer(response) {
  if (response.ok) return response;
  let text = `The server answers ${response.status}.`;
  try {
    text = (await response.json()).error;
  } catch { /* no JSON: the number has to do */ }
  throw new Told(text);
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Told("The server does not answer. Is `auralsam2 demo` still running?");
  }
  return answer(response);
}

// How far a request is that is being answered: waits for none before it.
export const peek = async (path) => (await send(path)).json();

export function ask(path, options = {}) {
  const asked = last.then(async () => (await send(path, options)).json());
  last = asked.catch(() => {});
  return asked;
}

export const post = (path, body = {}) => ask(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
});

// A clip goes by XMLHttpRequest, which tells how far it is.
export function upload(path, blob, progress) {
  const sent = last.then(() => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onerror = () => reject(new Told("The clip could not be sent."));
    request.onload = () => {
      let content = {};
      try {
        content = JSON.parse(request.responseText);
      } catch { /* told below */ }
      if (request.status === 200) resolve(content);
      else reject(new Told(content.error ?? `The server answers ${request.status}.`));
    };
    request.send(blob);
  }));
  last = sent.catch(() => {});
  return sent;
}

// Lines of JSON as they come.
export async function* lines(path, signal) {
  const response = await send(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}
