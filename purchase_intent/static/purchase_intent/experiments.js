/* Arms for a shop's own scripts, without waiting. {% experiments_script %} writes its tag, after that of bucketing.js
   and the definitions as JSON; docs/experiments-scripts.md says how to use it. Nothing is sent to any other host.
 *
 *     intentExperiments.arm("free-shipping-bar")    // "bar": the arm that is shown now, which counts the visitor once
 *     intentExperiments.peek("free-shipping-bar")   // the same, and counts nobody
 */
(() => {
  "use strict";
  const tag = document.currentScript;
  const told = tag.dataset;
  const KEY = "intent-arms";
  const TOLD = "intent-arms-told";
  const block = document.getElementById("intent-experiments");
  const defined = JSON.parse(block ? block.textContent : "{}");
  const objects = navigator.globalPrivacyControl || [navigator.doNotTrack, window.doNotTrack].includes("1");

  const kept = (name, key, value) => {
    try {
      const store = window[name]; // which a browser may forbid
      if (value) store.setItem(key, JSON.stringify(value));
      else if (value === null) store.removeItem(key);
      return JSON.parse(store.getItem(key) || "null");
    } catch (error) {
      return null;
    }
  };

  // A page out of a cache says nothing of its visitor: what the latest page of their own said holds. That it was kept
  // says that the visitor agrees.
  const isShared = told.cached !== undefined;
  const before = isShared && !objects ? kept("localStorage", KEY) : null;
  const stores = !objects && told.storage !== "no" && (told.consent === "yes" || before !== null);
  const unit = (!objects && (before || defined).unit) || "";
  const given = (before || defined).given || {};
  if (!isShared) kept("localStorage", KEY, stores && unit ? { unit, given } : null);

  // { arm, counts }: what the server would answer.
  const found = (key) => {
    const each = (defined.experiments || {})[key];
    if (!each) return { arm: "", counts: false };
    if (unit && given[key]) return given[key];
    if (!unit || !each.allocation) return { arm: each.default, counts: false };
    const { arm } = purchaseIntent.bucketing.place(each.allocation, unit);
    return arm === null ? { arm: each.default, counts: false } : { arm, counts: true };
  };

  const marks = new Set(stores ? kept("sessionStorage", TOLD) || [] : []);
  const mark = (key) => `${unit}:${key}`;
  let waiting = {};
  let timer = 0;

  const body = (shown) => JSON.stringify({ exposures: shown });
  const send = () => {
    timer = 0;
    const shown = waiting;
    waiting = {};
    if (!Object.keys(shown).length) return;
    fetch(told.url, { method: "POST", body: body(shown), keepalive: true, credentials: "same-origin" }).then((response) => {
      if (response.status >= 500 || response.status === 429) throw response;
      if (response.ok && stores) kept("sessionStorage", TOLD, [...marks].slice(-200));
    }).catch(() => { waiting = { ...shown, ...waiting }; });
  };

  const arm = (key) => {
    const { arm: name, counts } = found(key);
    if (counts && !marks.has(mark(key))) {
      marks.add(mark(key));
      waiting[key] = name;
      if (!timer) timer = setTimeout(send, 0);
    }
    return name;
  };

  // What could not be sent, or not yet, has this last chance.
  window.addEventListener("pagehide", () => {
    if (!Object.keys(waiting).length) return;
    navigator.sendBeacon(told.url, body(waiting));
    waiting = {};
  });

  window.intentExperiments = { arm, peek: (key) => found(key).arm };
})();
