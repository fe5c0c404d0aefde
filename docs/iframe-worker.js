// Browsers start no worker from file://. The search runs in a hidden frame there.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.srcdoc = "<!doctype html>"
      this.inside = new Promise((ready) => {
        frame.onload = () => {
          const { contentDocument, contentWindow } = frame
          contentWindow.postMessage = (data) =>
            this.dispatchEvent(new MessageEvent("message", { data }))
          const script = contentDocument.createElement("script")
          script.src = url
          script.onload = () => ready(contentWindow)
          contentDocument.head.append(script)
        }
      })
      document.body.append(frame)
    }

    async postMessage(data) {
      ;(await this.inside).dispatchEvent(new MessageEvent("message", { data }))
    }
  }
}
