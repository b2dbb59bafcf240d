/* What htmx does not provide: dialogs, messages, the state of the live stream, countdowns. */
(() => {
  "use strict";
  const words = JSON.parse(document.body.dataset.words || "{}");
  const stale = document.getElementById("stale");
  const toasts = document.getElementById("toasts");
  const STALE_AFTER_MS = 3000;
  const TOAST_MS = 6000;

  function toast(text, tone) {
    const box = document.createElement("div");
    box.className = `toast ${tone || ""}`;
    box.dataset.toast = "";
    const span = document.createElement("span");
    span.textContent = text;
    box.append(span);
    toasts.append(box);
  }

  // Show messages above open dialogs: the popover shown last is on top.
  toasts.popover = "manual";
  toasts.showPopover();
  new MutationObserver((changes) => {
    if (changes.some((change) => change.addedNodes.length) && document.querySelector("dialog:modal")) {
      toasts.hidePopover();
      toasts.showPopover();
    }
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (node.nodeType === 1) setTimeout(() => node.remove(), Number(node.dataset.stay) || TOAST_MS);
      }
    }
  }).observe(toasts, { childList: true });

  /* Dialogs */
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-open],[data-close],[data-closes],[data-copy]");
    if (!target) {
      if (event.target.nodeName === "DIALOG") event.target.close();
      return;
    }
    if (target.dataset.open) document.getElementById(target.dataset.open)?.showModal();
    if ("close" in target.dataset) target.closest("dialog")?.close();
    if ("closes" in target.dataset) setTimeout(() => target.closest("dialog")?.close());
    if (target.dataset.copy) copy(target.dataset.copy);
  });

  async function copy(selector) {
    const text = [...document.querySelectorAll(selector)].map((element) => element.innerText).join("\n");
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast(words.copied);
  }

  // A form with a slow response shows what it waits for.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-waits]")) return;
    event.preventDefault();
    const waits = (on) => {
      form.querySelector("[data-waiting]").hidden = !on;
      form.querySelector("button").disabled = on;
    };
    waits(true);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (!answer.redirected) throw new Error(answer.status);
      location.assign(answer.url);
    } catch {
      waits(false);
      toast(words.failed, "fault");
    }
  });

  document.addEventListener("change", (event) => {
    if ("submit" in event.target.dataset) event.target.form.requestSubmit();
  });

  /* The simulator: buttons and fields that call the public API. */
  async function call(element, body) {
    const [method, path] = element.dataset.call.split(" ");
    try {
      const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", "HX-Request": "true" }, body: JSON.stringify(body) });
      if (!answer.ok) {
        const problem = await answer.json().catch(() => ({}));
        toast(problem.message || words.failed, "fault");
        return false;
      }
    } catch {
      toast(words.offline, "fault");
      return false;
    }
    if (element.dataset.then === "reload") location.reload();
    else if (document.querySelector("[data-simulator]")) htmx.ajax("GET", "/simulator", { swap: "none" });
    return true;
  }
  function fields(form, submitter) {
    const body = JSON.parse(form.dataset.body || "{}");
    for (const field of form.elements) {
      if (!field.name || (field.type === "submit" && field !== submitter)) continue;
      let value = field.value;
      if (field.type === "checkbox") value = field.checked;
      else if (field.type === "submit") value = Number(value);
      else if (field.type === "number" || field.type === "range") value = Number(value) * Number(field.dataset.factor || 1);
      if (field.dataset.list !== undefined) (body[field.name] ||= []).push(value);
      else if (field.dataset.under) (body[field.dataset.under] ||= {})[field.name] = value;
      else if (value !== "") body[field.name] = value;
    }
    return body;
  }
  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-call]");
    if (!target || target.matches("form,input,select")) return;
    event.preventDefault();
    call(target, JSON.parse(target.dataset.body || "{}"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.getAttribute?.("role") !== "button" || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.dataset.call) return;
    event.preventDefault();
    call(event.target, fields(event.target, event.submitter)).then((done) => done && event.target.closest("dialog")?.close());
  });
  document.addEventListener("change", async (event) => {
    const field = event.target;
    if (field.matches("input[data-call],select[data-call]")) {
      const value = field.type === "checkbox" ? field.checked : field.value;
      const body = JSON.parse(field.dataset.body || "{}");
      if (field.dataset.key) body[field.dataset.key] = value;
      else Object.assign(body, JSON.parse(value));
      if (!(await call(field, body)) && field.type === "checkbox") field.checked = !field.checked;
    } else if (field.form?.dataset.call && "now" in field.form.dataset) {
      call(field.form, fields(field.form));
    }
  });
  const inLanguage = (value) => Number(value).toLocaleString(document.documentElement.lang, { useGrouping: false });
  document.addEventListener("input", (event) => {
    const show = event.target.dataset?.show;
    if (show) document.getElementById(show).textContent = inLanguage(event.target.value);
  });

  /* The live stream: mark the page as stale while the stream is interrupted. */
  let timer = null;
  function interrupted() {
    if (timer || !stale) return;
    const since = new Date();
    timer = setTimeout(() => {
      stale.textContent = words.stale.replace("{time}", since.toLocaleTimeString());
      stale.hidden = false;
      document.body.classList.add("is-stale");
    }, STALE_AFTER_MS);
  }
  function fresh() {
    clearTimeout(timer);
    timer = null;
    if (!stale || stale.hidden) return;
    stale.hidden = true;
    document.body.classList.remove("is-stale");
  }
  const on = (name, handler) => document.addEventListener(name, handler);
  on("htmx:sse:after:connection", fresh);
  on("htmx:sse:after:message", fresh);
  on("htmx:sse:error", (event) => {
    interrupted();
    const status = event.detail?.status;
    if (status === 401) location.reload();
  });
  async function followPower() {
    const answer = await fetch("/readyz", { cache: "no-store" }).catch(() => null);
    if (answer && !answer.ok && (await answer.json()).error === "no_power") location.reload();
  }
  /* The first connection failed: the extension only reconnects established streams. */
  function again(element) {
    interrupted();
    setTimeout(async () => {
      await followPower();
      if (element.isConnected) htmx.ajax("GET", element.getAttribute("hx-sse:connect"), { source: element });
    }, 2000);
  }
  on("htmx:sse:before:connection", (event) => {
    if (event.detail?.connection?.attempt > 0) interrupted();
  });
  on("htmx:sse:close", interrupted);
  /* Reload after a power cut, but not during a restart, which is short. */
  on("power-off", () => {
    if (document.querySelector("[data-restarting]")) return;
    setTimeout(followPower, 1500);
  });
  window.addEventListener("pagehide", () => clearTimeout(timer));

  /* Clear a form after success, and remove a message that was answered. */
  on("htmx:finally:request", (event) => {
    const form = event.target;
    const status = event.detail?.ctx?.response?.status;
    if (!status || status >= 400) return;
    if (form.dataset && "empties" in form.dataset) form.reset();
    if (form.closest && form.querySelector?.("[data-dismisses]")) form.closest("[data-toast]")?.remove();
  });

  /* Show a message for error responses. The target is the document when the element has left the page. */
  const isMarked = (event, name) => name in (event.target.dataset || {});
  on("htmx:before:swap", (event) => {
    const ctx = event.detail?.ctx;
    const status = ctx?.response?.status;
    if (!status || status < 400 || ctx.response.raw?.headers.get("HX-Shown")) return;
    event.preventDefault();
    if (isMarked(event, "quiet")) return; // asks again by itself
    if (isMarked(event, "stream")) {
      if (status === 401) location.reload();
      else again(event.target);
      return;
    }
    if (status === 401) {
      toast(words.expired, "fault");
      return;
    }
    let text = words.failed;
    try {
      text = JSON.parse(ctx.text).message || text;
    } catch {
      /* not JSON */
    }
    toast(text, "fault");
  });
  on("htmx:error", (event) => {
    if (event.detail?.error?.name !== "TypeError" || isMarked(event, "quiet")) return;
    if (isMarked(event, "stream")) again(event.target);
    else toast(words.offline, "fault");
  });

  /* End the teach-in when its dialogue is closed or the page is left. */
  const leased = (dialog) => dialog.querySelector("[data-lease]")?.dataset.lease;
  document.addEventListener(
    "close",
    (event) => {
      const lease = event.target.dataset?.finish && leased(event.target);
      if (lease) htmx.ajax("POST", event.target.dataset.finish, { values: { lease }, swap: "none" });
    },
    true,
  );
  window.addEventListener("pagehide", () => {
    for (const dialog of document.querySelectorAll("dialog[data-finish]")) {
      const lease = leased(dialog);
      if (lease) navigator.sendBeacon(dialog.dataset.finish, new URLSearchParams({ lease }));
    }
  });

  /* Show the text of a chosen file in its field. */
  document.addEventListener("change", async (event) => {
    const file = event.target.dataset?.read && event.target.files[0];
    if (file) document.getElementById(event.target.dataset.read).value = await file.text();
  });

  class CountDown extends HTMLElement {
    static observedAttributes = ["data-seconds"];
    connectedCallback() {
      this.begin();
    }
    attributeChangedCallback() {
      if (this.clock) this.begin();
    }
    begin() {
      clearInterval(this.clock);
      const end = performance.now() + Number(this.dataset.seconds) * 1000;
      const tick = () => {
        const left = Math.ceil((end - performance.now()) / 1000);
        this.textContent = left > 0 ? this.dataset.text.replace("{n}", left) : this.dataset.done || "";
        if (left <= 0) clearInterval(this.clock);
      };
      this.clock = setInterval(tick, 1000);
      tick();
    }
    disconnectedCallback() {
      clearInterval(this.clock);
    }
  }
  customElements.define("count-down", CountDown);

  /* The age of a value that does not come again. */
  class CountUp extends HTMLElement {
    static observedAttributes = ["data-seconds"];
    connectedCallback() {
      this.begin();
    }
    attributeChangedCallback() {
      if (this.clock) this.begin();
    }
    begin() {
      clearInterval(this.clock);
      const start = performance.now() - Number(this.dataset.seconds) * 1000;
      const tick = () => {
        const seconds = Math.floor((performance.now() - start) / 1000);
        const age = seconds < 60 ? `${seconds}\u202fs` : seconds < 3600 ? `${Math.floor(seconds / 60)}\u202fmin` : `${Math.floor(seconds / 3600)}\u202fh`;
        this.textContent = this.dataset.text.replace("{age}", age);
      };
      this.clock = setInterval(tick, 1000);
      tick();
    }
    disconnectedCallback() {
      clearInterval(this.clock);
    }
  }
  customElements.define("count-up", CountUp);

  /* After a restart was requested: reload once the station has stopped and is ready again. */
  class RestartWatch extends HTMLElement {
    connectedCallback() {
      const began = performance.now();
      let away = false;
      this.clock = setInterval(async () => {
        const seconds = Math.round((performance.now() - began) / 1000);
        this.textContent = this.dataset.text.replace("{n}", seconds);
        let ready = false;
        try {
          ready = (await fetch("/readyz", { cache: "no-store" })).ok;
        } catch {
          /* not yet */
        }
        if (!ready) away = true;
        else if (away || seconds > 5) location.reload();
      }, 1000);
    }
    disconnectedCallback() {
      clearInterval(this.clock);
    }
  }
  customElements.define("restart-watch", RestartWatch);

  /* Without power: reload once the station has power again. */
  if (document.querySelector("[data-wait-for-power]")) {
    setInterval(async () => {
      try {
        const answer = await fetch("/readyz", { cache: "no-store" });
        if (answer.ok || (await answer.json()).error !== "no_power") location.reload();
      } catch {
        /* not yet */
      }
    }, 2000);
  }
})();
