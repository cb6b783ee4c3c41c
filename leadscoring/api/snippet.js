// Tells the lead scoring what visitors of this site do: docs/tracking.md.
// Comments have lines of their own: they are left out when it is served.
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-key][src*='s.js']");
  const { key, consent, domains = "", email, userId = "" } = script.dataset;
  const required = consent === "required";
  const api = script.src.replace(/s\.js[^/]*$/, "v1/");
  const OURS = "leads_";
  const ID = OURS + "id";
  const CONSENT = OURS + "consent";
  const EVENT = OURS + "event_";
  // So many events are kept, and so much is sent at once: browsers let 64 KB outlive a page.
  const MOST_EVENTS = 200;
  const MOST_CHARS = 30000;
  const TRAITS = /^(email|name|first_?name|last_?name|company|phone|title|job_?title|country)$/i;
  const called = (window.leads && window.leads.q) || [];
  if (window.leads && window.leads.on) return;
  // "Cubot" is a telephone.
  const refused =
    !key || navigator.globalPrivacyControl || navigator.doNotTrack === "1" ||
    /(^|[^u])bot|crawl|spider|slurp|lighthouse/i.test(navigator.userAgent);

  // --- what is kept in the browser --------------------------------------------------------------
  let storage = {};
  try {
    storage = localStorage || storage;
  } catch {
    // Forbidden: only this page remembers.
  }
  const ours = (start) => Object.keys(storage).filter((name) => name.startsWith(start)).sort();
  const forget = (start) => ours(start).forEach((name) => delete storage[name]);
  const keep = (name, value) => {
    try {
      storage[name] = value;
    } catch {
      // It is full: from here on only this page remembers.
      storage = Object.fromEntries(ours(OURS).map((one) => [one, storage[one]]));
      storage[name] = value;
    }
    return value;
  };
  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((one) => (one + 256).toString(16).slice(1)).join("");
  const visitor = () => storage[ID] || keep(ID, random());
  const allowed = () => !refused && (required ? storage[CONSENT] === "yes" : storage[CONSENT] !== "no");

  // --- sending: what is kept goes when the answer says that it came; a repeat counts once there ---
  let timer, busy;
  let pause = 0;
  let beaconed = "";
  const body = (more) => JSON.stringify({ writeKey: key, sentAt: new Date(), ...more });
  const post = (path, more) => fetch(api + path, { method: "POST", body: body(more), keepalive: true, credentials: "omit" });
  const part = (names) => {
    let chars = 0;
    return names.filter((name, place) => (chars += storage[name].length) < MOST_CHARS || !place);
  };
  const batch = (names) => ({ batch: names.map((name) => JSON.parse(storage[name])) });
  const send = async () => {
    const names = part(ours(EVENT));
    if (busy || !names.length || !allowed()) return;
    busy = true;
    const status = await post("batch", batch(names)).then((answer) => answer.status, () => 0);
    busy = false;
    const again = !status || status === 408 || status === 429 || status >= 500;
    if (!again) names.forEach((name) => delete storage[name]);
    pause = again ? Math.min(pause * 2 || 2000, 300000) : 0;
    soon(pause);
  };
  const soon = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(send, ms);
  };
  const sendLast = () => {
    const names = part(ours(EVENT).filter((name) => name > beaconed));
    if (!names.length || !allowed()) return;
    beaconed = names[names.length - 1];
    navigator.sendBeacon(api + "batch", body(batch(names)));
  };

  // --- events -----------------------------------------------------------------------------------
  let page = {};
  let seen = "";
  const campaign = () => {
    const told = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith("utm_")) told[name === "utm_campaign" ? "name" : name.slice(4)] = value;
    });
    return told;
  };
  const record = (event) => {
    if (!allowed()) return;
    const timestamp = new Date().toISOString();
    const messageId = EVENT + timestamp + random();
    const context = { page, campaign: campaign() };
    keep(messageId, JSON.stringify({ messageId, anonymousId: visitor(), timestamp, context, ...event }));
    ours(EVENT).slice(0, -MOST_EVENTS).forEach((old) => delete storage[old]);
    if (!pause) soon(50);
  };
  // A view counts when the address changes; what follows a bare # is a place in the page.
  const view = () => {
    const url = location.href.replace(/#(?![!/]).*/, "");
    if (url === seen || !allowed()) return;
    page = { url, title: document.title, referrer: seen || document.referrer };
    seen = url;
    record({ type: "page" });
  };

  // --- from one domain to another: a signed parameter, taken out of the address at once ------------
  const HANDED = /&?leads_link=([\w.-]+)/;
  let [, handed] = HANDED.exec(location.search) || [];
  if (handed) history.replaceState(history.state, "", location.href.replace(HANDED, "").replace("?&", "?").replace(/\?(?=#|$)/, ""));
  let link = { until: 0 };
  const around = ({ target }, selector) => target.closest && target.closest(selector);
  const leaving = (event) => {
    const to = around(event, "a[href]");
    const known = to && domains.split(/[\s,]+/).some((host) => host && ("." + to.hostname).endsWith("." + host));
    return known && to.hostname !== location.hostname && allowed() && to;
  };
  const prepare = (event) => {
    if (!leaving(event) || link.until > Date.now()) return;
    const asked = (link = { until: Date.now() + 60000 });
    post("link", { anonymousId: visitor() }).then((answer) => answer.json()).then((told) => (asked.token = told.link)).catch(() => 0);
  };

  // --- what a page says -------------------------------------------------------------------------
  let named;
  const start = () => {
    if (!allowed()) return;
    if (handed) post("join", { anonymousId: visitor(), link: handed }).catch(() => 0);
    handed = "";
    view();
    if (!named && (email || userId)) commands.identify(userId, { email });
    named = true;
    soon(0);
  };
  const commands = {
    consent(given) {
      if (!given) forget(OURS);
      if (!given) seen = "";
      if (!!given === required) keep(CONSENT, given ? "yes" : "no");
      else delete storage[CONSENT];
      start();
    },
    identify(user, traits) {
      record({ type: "identify", ...(typeof user === "string" ? { userId: user, traits } : { traits: user }) });
    },
    track: (event, properties) => record({ type: "track", event, properties }),
    // Somebody else is at this browser from now on.
    reset() {
      forget(EVENT);
      forget(ID);
    },
  };
  // A page must not break because of us.
  const leads = (command, ...given) => {
    try {
      if (!refused) commands[command](...given);
    } catch (error) {
      console.warn("leads:", error);
    }
  };
  leads.on = true;
  window.leads = leads;
  if (refused) return forget(OURS);

  const on = (names, act, place = document) => names.split(" ").forEach((name) => place.addEventListener(name, act, true));
  on("click", (event) => {
    const asked = around(event, "[data-lead-consent]");
    const marked = around(event, "a[data-lead-event], button[data-lead-event]");
    const to = leaving(event);
    if (asked) leads("consent", asked.dataset.leadConsent !== "no");
    if (marked) leads("track", marked.dataset.leadEvent, { text: marked.textContent.trim().slice(0, 100), href: marked.href });
    if (!to || !link.token || link.until < Date.now()) return;
    const { href } = to;
    to.search += (to.search ? "&" : "?") + "leads_link=" + link.token;
    setTimeout(() => (to.href = href));
    link = { until: 0 };
  });
  on("submit", ({ target: form }) => {
    // A form that is posted to us says by it whose it is.
    const hidden = form.querySelector("input[name=anonymous_id]");
    if (hidden && allowed()) hidden.value = visitor();
    const name = form.getAttribute("data-lead-event");
    if (!name) return;
    const box = form.querySelector("input[type=email]");
    const traits = box && box.value ? { email: box.value } : {};
    new FormData(form).forEach((value, field) => {
      if (TRAITS.test(field) && value && value.trim && !(field in traits)) traits[field] = value;
    });
    if (traits.email) leads("identify", traits);
    leads("track", name, { form: form.id });
  });
  on("pointerover pointerdown focusin", prepare);
  on("visibilitychange", () => document.hidden && sendLast());
  on("pagehide", sendLast, window);
  on("online", send, window);
  // An address is changed in steps, and its title after it.
  const later = () => setTimeout(view, 50);
  on("popstate hashchange", later, window);
  // From the browser's memory, by "Back".
  on("pageshow", (event) => {
    if (!event.persisted) return;
    seen = "";
    view();
  }, window);
  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = function (...given) {
      change.apply(this, given);
      later();
    };
  }
  if (document.prerendering) on("prerenderingchange", start);
  else start();
  called.forEach((given) => leads(...given));
})();
