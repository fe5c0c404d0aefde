// A clip from this machine's camera and microphone.

import { Told } from "./server.js";

const LONGEST = 60; // seconds
const REASONS = {
  NotAllowedError: "The browser was not allowed to use camera and microphone.",
  NotFoundError: "There is no camera or no microphone.",
  NotReadableError: "Camera or microphone are in use by another program.",
};

export async function recordClip() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true, audio: true });
  } catch (error) {
    throw new Told(REASONS[error.name] ?? `Camera and microphone cannot be used: ${error.message}`);
  }
  const [dialog, preview, start, cancel, said] =
    ["recorder", "preview", "start", "cancel", "recorded"].map((id) => document.getElementById(id));
  preview.srcObject = stream;
  preview.play();
  start.textContent = "Start";
  said.textContent = `up to ${LONGEST} s`;
  dialog.showModal();
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  let timer;
  recorder.ondataavailable = (event) => pieces.push(event.data);
  return new Promise((resolve) => {
    const end = (blob) => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      preview.srcObject = null;
      dialog.onclose = null;
      if (dialog.open) dialog.close();
      resolve(blob);
    };
    recorder.onstop = () => {
      const ending = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
      end(new File(pieces, `recording.${ending}`, { type: recorder.mimeType }));
    };
    start.onclick = () => {
      if (recorder.state === "recording") {
        recorder.stop();
        return;
      }
      recorder.start();
      start.textContent = "Stop";
      const begun = performance.now();
      timer = setInterval(() => {
        const seconds = (performance.now() - begun) / 1000;
        said.textContent = `${seconds.toFixed(1)} s`;
        if (seconds >= LONGEST) recorder.stop();
      }, 100);
    };
    const stop = () => {
      recorder.onstop = null;
      if (recorder.state === "recording") recorder.stop();
      end(null);
    };
    cancel.onclick = stop;
    dialog.onclose = stop;
  });
}
