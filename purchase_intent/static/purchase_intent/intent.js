/* Tells the shop's own server what is done on a page. It is configured by the data attributes of its own tag, which
   {% intent_script %} writes; docs/sending.md says what each means. Nothing is sent to any other host. */
(() => {
  "use strict";
  const tag = document.currentScript;
  const told = tag.dataset;
  const KEY = "intent";
  const MOST = 200; // events that are kept back, and that one request holds
  const LARGEST = 60000; // bytes of one request: browsers send at most 64 KiB when a page is left
  const SOON = 2000; // milliseconds
  const LATER = 15000;
  const SHOWN = ["page_view", "view", "search", "view_cart", "checkout", "payment_info"];
  const FIELDS = ["product", "category", "brand", "quantity", "search", "page"];

  const objects = navigator.globalPrivacyControl || [navigator.doNotTrack, window.doNotTrack].includes("1");
  let off = objects || told.consent === "no";
  let stores = told.consent === "yes" && told.storage !== "no";
  let queue = [];
  let flying = [];
  let marks = [];
  let timer = 0;
  let first = true;

  const id = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");

  // What could not be sent waits for the next page, where the visitor has agreed to being recorded; else in memory.
  const stored = (write) => {
    try {
      if (write) localStorage.setItem(KEY, JSON.stringify(write));
      else if (write === null) localStorage.removeItem(KEY);
      return JSON.parse(localStorage.getItem(KEY) || "[]").filter((each) => each.event_id);
    } catch (error) {
      return [];
    }
  };
  const keep = (events) => {
    if (!stores || !events.length) return;
    const known = new Set(events.map((each) => each.event_id));
    stored([...stored().filter((each) => !known.has(each.event_id)), ...events].slice(-MOST));
  };
  const drop = (events) => {
    const known = new Set(events.map((each) => each.event_id));
    const rest = stored().filter((each) => !known.has(each.event_id));
    stored(rest.length ? rest : null);
  };

  const remember = () => {
    try {
      if (stores && marks.length) sessionStorage.setItem(KEY, JSON.stringify(marks));
    } catch (error) { /* a browser may have no storage */ }
  };

  const stop = () => {
    off = true;
    queue = [];
    stored(null);
  };

  const later = (wait) => {
    if (!timer) timer = setTimeout(() => { timer = 0; flush(); }, wait);
  };

  const packed = (events) => {
    // A clock that was set back meanwhile does not put an event after its own sending.
    const batch = { events, sent_at: Math.max(Date.now(), ...events.map((each) => each.occurred_at)) };
    if (navigator.webdriver) batch.driven = true;
    if (first) Object.assign(batch, { url: location.href.slice(0, 2000), referrer: document.referrer.slice(0, 2000) });
    return JSON.stringify(batch);
  };

  // The events from the front of the queue that fit into one request, and its body.
  const next = () => {
    let part = queue.slice(0, MOST);
    let body = packed(part);
    while (part.length > 1 && new Blob([body]).size > LARGEST) {
      part = part.slice(0, Math.ceil(part.length / 2));
      body = packed(part);
    }
    queue = queue.slice(part.length);
    first = false;
    return [part, body];
  };

  const answered = (answer) => {
    if (answer.results.some((each) => each.reason === "no_consent")) stop();
    else if (answer.accepted + answer.duplicate && told.storage !== "no") {
      stores = true;
      remember();
    }
  };

  // One request at a time: together, those that outlive their page may hold no more than one alone.
  const flush = () => {
    if (off || flying.length || !queue.length) return;
    const [part, body] = next();
    flying = part;
    fetch(told.url, { method: "POST", body, keepalive: true, credentials: "same-origin" }).then((response) => {
      if (response.status >= 500 || response.status === 429) throw response;
      flying = [];
      drop(part);
      return response.ok ? response.json().then(answered) : 0;
    }).then(flush, () => {
      if (flying === part) queue = part.concat(queue).slice(-MOST);
      flying = [];
      keep(part);
      if (document.visibilityState === "visible") later(LATER);
    });
  };

  // A page that goes away has no time to wait for answers.
  const leave = () => {
    keep(flying);
    while (!off && queue.length) {
      const [part, body] = next();
      (navigator.sendBeacon(told.url, body) ? drop : keep)(part);
    }
  };

  const track = (name, fields, key) => {
    if (off) return;
    queue.push({ page: told.page, ...fields, name, event_id: key || id(), occurred_at: Date.now() });
    queue = queue.slice(-MOST);
    later(SOON);
  };

  const fieldsOf = (element) => {
    const fields = {};
    for (const name of FIELDS) {
      const value = element.getAttribute("data-intent-" + name);
      if (value !== null) fields[name] = name === "quantity" ? Number(value) : value;
    }
    const given = element.elements && element.elements.namedItem("quantity");
    if (given && !("quantity" in fields)) fields.quantity = Number(given.value);
    return fields;
  };

  // What the server has recorded of this very page, as "id:name"; null where the browser cannot tell.
  const recorded = () => {
    const page = performance.getEntriesByType("navigation")[0];
    if (!page || !page.serverTiming) return null;
    const found = page.serverTiming.find((each) => each.name === "intent");
    return found ? found.description.split(":") : [];
  };

  // One that came out of a cache a second time has the same mark as the first.
  const isNew = (found) => {
    try {
      marks = JSON.parse(sessionStorage.getItem(KEY) || "[]");
    } catch (error) {
      marks = [];
    }
    const known = marks.includes(found);
    if (!known) marks = [...marks, found].slice(-20);
    remember();
    return !known;
  };

  const show = (name, fields) => {
    if (told.views === undefined) return track(name, fields);
    const [mark, what] = recorded() || ["-"];
    if (mark === "-") return name === "page_view" ? 0 : track(name, fields);
    if (!mark || (what === name && !isNew(mark))) return track(name, fields);
    if (what === name) return track(name, fields, mark);
    return name === "page_view" ? 0 : track(name, fields);
  };

  // Parts of a page out of a cache that only some are shown: the server says which conditions hold for this visitor.
  const decide = () => {
    const parts = [...document.querySelectorAll("[data-intent-if],[data-intent-else]")];
    const asked = new Set(parts.map(({ dataset }) => dataset.intentIf || dataset.intentElse));
    if (off || !asked.size) return;
    const query = new URLSearchParams(Array.from(asked, (each) => ["if", each]));
    fetch(`${told.url}../decision/?${query}`).then((response) => response.ok && response.json()).then((found) => {
      for (const part of found ? parts : []) {
        const { intentIf, intentElse } = part.dataset;
        part.hidden = intentIf ? !found.holds.includes(intentIf) : found.holds.includes(intentElse);
      }
    }).catch(() => {}); // what is shown without an answer stays
  };

  const begin = () => {
    let shown = false;
    for (const element of document.querySelectorAll("[data-intent]")) {
      if (SHOWN.includes(element.dataset.intent)) {
        show(element.dataset.intent, fieldsOf(element));
        shown = true;
      }
    }
    if (!shown && told.views !== undefined) show("page_view");
    if (!off) queue = stored().concat(queue).slice(-MOST);
    if (queue.length) later(SOON);
    decide();
  };

  // Where a link or a form leads on within the shop, the next page tells how long this one was looked at.
  let onward = 0;
  let since = Date.now();
  let dwells = 0;
  const dwell = () => {
    const now = Date.now();
    if (told.dwell === undefined || now - onward < 10000 || now - since < 1000 || dwells >= 5) return;
    since = now;
    dwells += 1;
    track("interaction");
  };

  const leads = (element) => {
    try {
      const to = element.getAttribute("href") || element.getAttribute("action") || "";
      return new URL(to, location.href).origin === location.origin;
    } catch (error) {
      return false;
    }
  };
  const acts = (event) => {
    const way = event.target.closest(event.type === "submit" ? "form" : "a[href]");
    if (way && leads(way)) onward = Date.now();
    const element = event.target.closest("[data-intent]");
    if (!element || SHOWN.includes(element.dataset.intent)) return;
    if ((element.localName === "form") === (event.type === "submit")) track(element.dataset.intent, fieldsOf(element));
  };

  window.intent = {
    track: (name, fields) => track(String(name), fields),
    flush,
    decide,
    // For a question about privacy that is answered without another page.
    consent: (yes) => {
      if (!yes) stop();
      else if (!objects) {
        off = false;
        stores = told.storage !== "no";
      }
    },
  };

  if (off) stored(null);
  document.addEventListener("click", acts, true);
  document.addEventListener("submit", acts, true);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      dwell();
      leave();
    } else since = Date.now();
  });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) onward = 0; });
  if (told.views === "spa") {
    const moved = () => track("page_view");
    const push = history.pushState;
    history.pushState = function (...given) {
      push.apply(this, given);
      moved();
    };
    window.addEventListener("popstate", moved);
  }
  if (document.prerendering) document.addEventListener("prerenderingchange", begin, { once: true });
  else begin();
})();
