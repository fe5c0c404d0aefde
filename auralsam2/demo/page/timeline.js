// Time: frames as pictures, the sound, its waveform, and going from frame to frame.

const KEPT = 400; // pictures
const AHEAD = 24;

export class Timeline {
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.sound = document.getElementById("sound");
    this.slider = document.getElementById("frame");
    this.waveform = document.getElementById("waveform");
    this.button = document.getElementById("play");
    this.pictures = new Map();
    this.frame = 0;
    this.playing = false;
    this.slider.addEventListener("input", () => { this.pause(); this.go(Number(this.slider.value)); });
    this.button.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    for (const [name, step] of [["back", -1], ["forward", 1]]) {
      document.getElementById(name).addEventListener("click", () => {
        this.pause();
        this.go(this.frame + step);
      });
    }
    this.waveform.addEventListener("pointerdown", (event) => {
      if (!this.clip) return;
      const box = this.waveform.getBoundingClientRect();
      this.pause();
      this.go(this.frameAt(((event.clientX - box.left) / box.width) * this.clip.seconds));
    });
    this.sound.addEventListener("ended", () => this.pause());
  }

  open(clip) {
    this.pause();
    this.clip = clip;
    this.pictures.clear();
    this.latest = null;
    this.slider.max = clip.times.length - 1;
    // Its last frame is where that begins on the waveform.
    this.slider.style.width = `${(100 * clip.times.at(-1)) / clip.seconds}%`;
    if (clip.peaks.length) this.sound.src = `/api/clip/${clip.key}/sound.wav`;
    else this.sound.removeAttribute("src");
    this.go(0);
  }

  frameAt(seconds) {
    const { times } = this.clip;
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (times[middle] <= seconds + 1e-6) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  picture(frame) {
    let found = this.pictures.get(frame);
    if (!found) {
      found = new Image();
      found.src = `/api/clip/${this.clip.key}/${frame}.jpg`;
      found.onload = () => { if (frame === this.frame) this.onFrame(); };
      if (this.pictures.size >= KEPT) this.pictures.delete(this.pictures.keys().next().value);
      this.pictures.set(frame, found);
    }
    return found;
  }

  // The frame's picture, or the latest one while it is still on its way.
  shown() {
    const now = this.picture(this.frame);
    if (now.complete && now.naturalWidth) this.latest = now;
    return this.latest;
  }

  go(frame) {
    if (!this.clip) return;
    this.frame = Math.max(0, Math.min(this.clip.times.length - 1, frame));
    this.slider.value = this.frame;
    if (!this.playing) this.setSound(this.clip.times[this.frame]);
    for (let next = this.frame; next < Math.min(this.clip.times.length, this.frame + AHEAD); next += 1) {
      this.picture(next);
    }
    this.say(this.clip.times[this.frame]);
    this.onFrame();
  }

  setSound(seconds) {
    if (this.clip.peaks.length && Math.abs(this.sound.currentTime - seconds) > 0.01) {
      this.sound.currentTime = seconds;
    }
  }

  play() {
    if (!this.clip) return;
    const { times, seconds, peaks } = this.clip;
    const from = this.frame === times.length - 1 ? 0 : times[this.frame];
    this.playing = true;
    this.button.textContent = "Pause";
    this.setSound(from);
    // The sound's clock where there is sound and it plays: pictures keep to it.
    this.heard = peaks.length > 0;
    if (this.heard) this.sound.play().catch(() => { this.heard = false; });
    const begun = performance.now() - from * 1000;
    const step = () => {
      if (!this.playing) return;
      const running = this.heard && !this.sound.ended;
      const now = running ? this.sound.currentTime : (performance.now() - begun) / 1000;
      if (now >= seconds) {
        this.pause();
        return;
      }
      const frame = this.frameAt(now);
      if (frame !== this.frame) this.go(frame);
      this.say(now);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  pause() {
    this.playing = false;
    this.button.textContent = "Play";
    this.sound.pause();
  }

  say(seconds) {
    const { times } = this.clip;
    const clock = (value) => value.toFixed(2);
    document.getElementById("time").textContent =
      `frame ${this.frame + 1} of ${times.length}, ${clock(seconds)} s`;
    this.slider.setAttribute("aria-valuetext", `frame ${this.frame + 1}, ${clock(seconds)} seconds`);
    this.drawWaveform(seconds);
  }

  drawWaveform(seconds) {
    const { waveform, clip } = this;
    const [width, height] = ["clientWidth", "clientHeight"].map((side) => Math.round(waveform[side] * devicePixelRatio));
    waveform.width = width;
    waveform.height = height;
    const context = waveform.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const now = (seconds / clip.seconds) * width;
    const middle = height / 2;
    const loudest = Math.max(0.05, ...clip.peaks);
    const column = width / Math.max(1, clip.peaks.length);
    clip.peaks.forEach((peak, index) => {
      const half = Math.max(0.5, (peak / loudest) * middle * 0.92);
      const left = index * column;
      context.fillStyle = style.getPropertyValue(left < now ? "--accent" : "--muted");
      context.fillRect(left, middle - half, Math.max(1, column * 0.75), 2 * half);
    });
    if (!clip.peaks.length) {
      context.fillStyle = style.getPropertyValue("--muted");
      context.font = `${13 * devicePixelRatio}px system-ui, sans-serif`;
      context.fillText("no sound", 10 * devicePixelRatio, middle + 4 * devicePixelRatio);
    }
    context.fillStyle = style.getPropertyValue("--prediction");
    context.fillRect(now - devicePixelRatio, 0, 2 * devicePixelRatio, height);
  }
}
