// One picture with its masks and clicks: a canvas for each run.

export const ink = (object) => `rgb(${object.colour})`;

const FILL = 105; // of 255
const STEP = 0.01; // of the picture, for a key
const SMALLEST_BOX = 0.01;

const inside = (value) => Math.min(1, Math.max(0, value));

// Pixels of run lengths, which go down the columns and begin with those outside.
export function pixels(runs, width, height) {
  const mask = new Uint8Array(width * height);
  let place = 0;
  runs.forEach((length, index) => {
    const end = place + length;
    for (; index % 2 && place < end; place += 1) {
      mask[(place % height) * width + Math.floor(place / height)] = 1;
    }
    place = end;
  });
  return mask;
}

export const area = (runs) => runs.reduce((sum, length, index) => sum + (index % 2 ? length : 0), 0);

// Fill, a line inside the edge, and a white one outside, which is seen on any picture.
function paint(image, mask, width, [red, green, blue]) {
  const data = image.data;
  const put = (at, r, g, b, opacity) => {
    if (data[at * 4 + 3] > opacity) return;
    data[at * 4] = r; data[at * 4 + 1] = g; data[at * 4 + 2] = b; data[at * 4 + 3] = opacity;
  };
  for (let at = 0; at < mask.length; at += 1) {
    const column = at % width;
    const left = column > 0 ? mask[at - 1] : mask[at];
    const right = column < width - 1 ? mask[at + 1] : mask[at];
    const [above, below] = [mask[at - width] ?? mask[at], mask[at + width] ?? mask[at]];
    if (mask[at]) {
      put(at, red, green, blue, left && right && above && below ? FILL : 255);
    } else if (left || right || above || below) put(at, 255, 255, 255, 200);
  }
}

export class Stage {
  constructor(run, on) {
    this.run = run;
    this.on = on; // click(x, y, negative), box(x0, y0, x1, y1), boxing(), undo(), redraw()
    this.masks = new Map(); // frame -> {object: {runs, iou, score}}
    this.cross = null;
    this.corner = null;
    this.dragged = null;
    this.element = document.createElement("figure");
    this.element.className = "stage";
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.caption = document.createElement("figcaption");
    this.title = document.createElement("b");
    this.title.textContent = run;
    this.scores = document.createElement("span");
    this.caption.append(this.title, this.scores);
    this.element.append(this.canvas, this.caption);
    this.overlay = document.createElement("canvas");
    this.listen();
  }

  open(clip) {
    this.clip = clip;
    this.masks.clear();
    this.cross = this.corner = this.dragged = null;
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = clip.width;
      canvas.height = clip.height;
    }
    this.canvas.style.maxWidth = `calc(var(--tallest) * ${clip.width / clip.height})`;
  }

  // Objects of a frame that are new replace those that were there; the others stay.
  put(found, whole) {
    const before = whole ? {} : this.masks.get(found.frame) ?? {};
    this.masks.set(found.frame, { ...before, ...found.objects });
  }

  draw(image, frame, objects, chosen) {
    const { clip, canvas } = this;
    // As many pixels as the screen has for it, so that clicks and letters are sharp.
    const scale = (canvas.clientWidth * devicePixelRatio) / clip.width || 1;
    const [width, height] = [Math.round(clip.width * scale), Math.round(clip.height * scale)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    if (image) context.drawImage(image, 0, 0, width, height);
    const masks = this.masks.get(frame) ?? {};
    const layer = this.overlay.getContext("2d");
    const painted = layer.createImageData(clip.width, clip.height);
    for (const object of objects) {
      const found = masks[object.id];
      if (!found || !object.prompted) continue;
      paint(painted, pixels(found.runs, clip.width, clip.height), clip.width, object.colour);
    }
    layer.putImageData(painted, 0, 0);
    context.drawImage(this.overlay, 0, 0, width, height);
    for (const object of objects) this.drawClicks(context, object, frame, object.id === chosen);
    if (this.dragged) this.drawBox(context, this.dragged, "#fff");
    if (this.cross && document.activeElement === canvas) this.drawCross(context);
    this.describe(frame, objects, masks);
  }

  describe(frame, objects, masks) {
    const size = this.clip.width * this.clip.height;
    const said = objects.filter((o) => o.prompted && masks[o.id]).map((object) => {
      const { runs, iou } = masks[object.id];
      const share = `${((100 * area(runs)) / size).toFixed(1)} % of the picture`;
      const name = objects.length > 1 ? `${object.id}: ` : "";
      return iou === null ? `${name}${share}` : `${name}predicted IoU ${iou.toFixed(2)}, ${share}`;
    });
    this.scores.textContent = said.join(" · ") || "no mask";
    this.canvas.setAttribute(
      "aria-label", `${this.run}, frame ${frame + 1}: ${this.scores.textContent}`,
    );
  }

  drawClicks(context, object, frame, chosen) {
    const clicks = object.frames[frame];
    if (!clicks) return;
    const { width, height } = this.canvas;
    const unit = devicePixelRatio;
    context.globalAlpha = chosen ? 1 : 0.55;
    if (clicks.box) this.drawBox(context, clicks.box, ink(object));
    for (const [x, y, positive] of clicks.points) {
      context.beginPath();
      context.arc(x * width, y * height, 8 * unit, 0, 7);
      context.fillStyle = positive ? "#1a7f37" : "#c62845";
      context.fill();
      context.lineWidth = 2 * unit;
      context.strokeStyle = "#fff";
      context.stroke();
      context.beginPath();
      context.moveTo(x * width - 4 * unit, y * height);
      context.lineTo(x * width + 4 * unit, y * height);
      if (positive) {
        context.moveTo(x * width, y * height - 4 * unit);
        context.lineTo(x * width, y * height + 4 * unit);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  drawBox(context, [x0, y0, x1, y1], ink) {
    const { width, height } = this.canvas;
    const sides = [x0 * width, y0 * height, (x1 - x0) * width, (y1 - y0) * height];
    for (const [line, style] of [[4, "rgb(0 0 0 / .6)"], [2, ink]]) {
      context.lineWidth = line * devicePixelRatio;
      context.strokeStyle = style;
      context.strokeRect(...sides);
    }
  }

  drawCross(context) {
    const { width, height } = this.canvas;
    const [x, y] = [this.cross[0] * width, this.cross[1] * height];
    const arm = 14 * devicePixelRatio;
    for (const [line, style] of [[4, "#000"], [2, "#fff"]]) {
      context.lineWidth = line * devicePixelRatio;
      context.strokeStyle = style;
      context.beginPath();
      context.moveTo(x - arm, y); context.lineTo(x + arm, y);
      context.moveTo(x, y - arm); context.lineTo(x, y + arm);
      context.stroke();
    }
  }

  // Where an event is, in parts of the picture.
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height),
    ];
  }

  listen() {
    const { canvas } = this;
    const negative = (event) => event.shiftKey || event.button === 2;
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.clip || (event.button !== 0 && event.button !== 2)) return;
      this.cross = null;
      const [x, y] = this.place(event);
      if (this.on.boxing() && !negative(event)) {
        canvas.setPointerCapture(event.pointerId);
        this.dragged = [x, y, x, y];
      }
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.dragged) return;
      this.dragged.splice(2, 2, ...this.place(event));
      this.on.redraw();
    });
    canvas.addEventListener("pointercancel", () => { this.dragged = null; this.on.redraw(); });
    canvas.addEventListener("pointerup", (event) => {
      if (!this.clip) return;
      if (this.dragged) {
        const box = this.dragged;
        this.dragged = null;
        this.sendBox(box);
      } else if (event.button === 0 || event.button === 2) {
        this.on.click(...this.place(event), negative(event));
      }
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.on.redraw());
  }

  sendBox([x0, y0, x1, y1]) {
    this.on.redraw();
    if (Math.abs(x1 - x0) < SMALLEST_BOX || Math.abs(y1 - y0) < SMALLEST_BOX) return;
    this.on.box(x0, y0, x1, y1);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) {
      const [x, y] = this.cross ?? [0.5, 0.5];
      const step = STEP * (event.shiftKey ? 8 : 1);
      const [right, down] = moves[event.key];
      this.cross = [inside(x + right * step), inside(y + down * step)];
      if (this.corner) this.dragged = [...this.corner, ...this.cross];
      this.on.redraw();
    } else if (event.key === "Enter" && this.clip) {
      this.cross ??= [0.5, 0.5];
      if (!this.on.boxing()) this.on.click(...this.cross, event.shiftKey);
      else if (!this.corner) this.corner = this.cross;
      else {
        const box = [...this.corner, ...this.cross];
        this.corner = this.dragged = null;
        this.sendBox(box);
      }
    } else if (event.key === "Escape") {
      this.corner = this.dragged = null;
      this.on.redraw();
    } else if (event.key === "Delete" || event.key === "Backspace") this.on.undo();
    else return;
    event.preventDefault();
  }
}
