// Parallax: the one script. Pages are whole without it; it adds a filter over
// the rows of a table, polling, passkeys, keyboard shortcuts and the quick exit. It never
// writes markup and no key changes data.
"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (selector, root = document) => root.querySelector(selector);
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

  // What only works with the script is hidden until the script runs.
  all(".needs-script").forEach((el) => { el.hidden = false; });

  // The part of a crowded navigation that matters is brought into view.
  const here = one(".nav a[aria-current]");
  const nav = one(".nav");
  if (here && nav.scrollWidth > nav.clientWidth) {
    nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
  }

  // The error summary is where reading goes on after a refused form.
  const problems = one("[data-focus]");
  if (problems) problems.focus();

  // Filter: hides rows that do not hold all the words.
  const filter = (input) => {
    const table = document.getElementById(input.dataset.filter);
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = all("tbody tr", table);
    let shown = 0;
    rows.forEach((row) => {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      if (!row.hidden) shown += 1;
    });
    const count = one("[data-count]", table);
    count.textContent = words.length ? shown + " of " + rows.length + " rows shown" : "";
  };
  all("[data-filter]").forEach((input) => input.addEventListener("input", () => filter(input)));

  // Poll: asks whether there is a newer version of the page. A page with a form
  // that was changed, or with an open disclosure, is not reloaded; it says that
  // there is something new and leaves the choice.
  let touched = false;
  document.addEventListener("input", (e) => { if (e.target.form) touched = true; });
  const poll = (el) => {
    const every = Math.max(2, Number(el.dataset.every) || 5) * 1000;
    let wait = every;
    const say = (text) => {
      const line = one("[data-poll-text]", el);
      if (text && line.textContent !== text) line.textContent = text;
    };
    const ask = async () => {
      if (document.hidden) { setTimeout(ask, every); return; }
      try {
        const answer = await fetch(el.dataset.poll, { headers: { Accept: "application/json" }, cache: "no-store" });
        if (!answer.ok) throw new Error("status");
        const state = await answer.json();
        wait = every;
        if (String(state.version) !== el.dataset.version) {
          if (!touched && !one("main details[open]")) { window.location.reload(); return; }
          say("There is something new on this page. Look again when you are ready.");
          return;
        }
        say(state.text);
        if (state.done) return;
      } catch (_) {
        wait = Math.min(wait * 2, 60000);
        say("The server did not answer. Trying again in " + Math.round(wait / 1000) + " seconds.");
      }
      setTimeout(ask, wait);
    };
    setTimeout(ask, every);
  };
  all("[data-poll]").forEach(poll);

  // Passkeys: the server says what to ask the device for, the device answers,
  // the server checks. Binary values travel as base64url.
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const post = async (url, body) => {
    const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body), cache: "no-store" });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail || "The server refused this.");
    return said;
  };
  const withIds = (list) => (list || []).map((c) => ({ ...c, id: toBytes(c.id) }));
  const credential = async (create, said) => {
    const key = { ...said.publicKey, challenge: toBytes(said.publicKey.challenge) };
    if (create) {
      key.user = { ...key.user, id: toBytes(key.user.id) };
      key.excludeCredentials = withIds(key.excludeCredentials);
      return navigator.credentials.create({ publicKey: key });
    }
    key.allowCredentials = withIds(key.allowCredentials);
    return navigator.credentials.get({ publicKey: key });
  };
  const answered = (c) => {
    const response = {};
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].forEach((name) => {
      if (c.response[name]) response[name] = toText(c.response[name]);
    });
    if (c.response.getTransports) response.transports = c.response.getTransports();
    return { id: c.id, rawId: toText(c.rawId), type: c.type, response, clientExtensionResults: c.getClientExtensionResults() };
  };
  all("[data-passkey]").forEach((el) => {
    const button = one("button", el);
    const say = (text) => { one("[data-passkey-text]", el).textContent = text; };
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        if (!window.PublicKeyCredential) throw new Error("This browser has no passkeys. Use another browser, or sign in with a provider.");
        const values = {};
        all("input[type=hidden]", el).forEach((input) => { values[input.name] = input.value; });
        say("Waiting for your device.");
        const said = await post(el.dataset.options, values);
        const done = await post(el.dataset.finish, answered(await credential(el.dataset.passkey === "create", said)));
        window.location.assign(done.next);
      } catch (err) {
        say(err.name === "NotAllowedError" ? "Your device did not confirm, or it took too long. Nothing was changed." : err.message);
        button.disabled = false;
      }
    });
  });

  // Quick exit: leaves without leaving this page in the way back.
  const exit = one("[data-exit]");
  const leave = () => { if (exit) window.location.replace(exit.href); };
  if (exit) exit.addEventListener("click", (e) => { e.preventDefault(); leave(); });

  // Keyboard. The setting stays on this device.
  const dialog = one("#keys");
  const box = one("[data-keys-on]");
  const stored = () => { try { return window.localStorage.getItem("keys"); } catch (_) { return null; } };
  let keysOn = stored() !== "off";
  if (box) {
    box.checked = keysOn;
    box.addEventListener("change", () => {
      keysOn = box.checked;
      try { window.localStorage.setItem("keys", keysOn ? "on" : "off"); } catch (_) { /* not kept */ }
    });
  }
  const help = () => { if (dialog && !dialog.open) dialog.showModal(); };
  all("[data-keys-open]").forEach((el) => el.addEventListener("click", help));

  // Rows that can be opened: the first link of each row in view.
  const rowLinks = () => all("tbody tr").filter((row) => !row.hidden && row.offsetParent !== null)
    .map((row) => one("a", row)).filter(Boolean);
  const step = (by) => {
    const links = rowLinks();
    if (!links.length) return;
    const row = document.activeElement && document.activeElement.closest("tbody tr");
    const at = links.findIndex((link) => link.closest("tr") === row);
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
    links[next].focus();
  };
  const toFilter = () => {
    const field = one("[data-filter]") || one("main input[type=search]");
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  };

  let escapes = [];
  const escaped = () => {
    const now = Date.now();
    escapes = escapes.filter((t) => now - t < 1500).concat(now);
    if (escapes.length >= 3) { leave(); return; }
    const field = document.activeElement;
    if (field && field.dataset && field.dataset.filter) {
      field.value = "";
      filter(field);
      field.blur();
      return;
    }
    const open = field && field.closest && field.closest("main details[open]");
    if (open) { open.open = false; one("summary", open).focus(); }
  };

  let going = 0; // when "g" was pressed
  const plainKey = (e) => {
    if (Date.now() - going < 1500) {
      going = 0;
      const link = all("[data-key]").find((a) => a.dataset.key === e.key);
      if (link) window.location.assign(link.href);
      return Boolean(link);
    }
    switch (e.key) {
      case "?": help(); return true;
      case "/": return toFilter();
      case "j": step(1); return true;
      case "k": step(-1); return true;
      case "g": going = Date.now(); return true;
      default: return false;
    }
  };
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") { escaped(); return; }
    if (!keysOn || e.altKey || e.isComposing) return;
    if ((e.ctrlKey || e.metaKey) && e.key === "k") {
      if (toFilter()) e.preventDefault();
      return;
    }
    if (e.ctrlKey || e.metaKey || typing(document.activeElement) || (dialog && dialog.open)) return;
    if (plainKey(e)) e.preventDefault();
  });
})();
