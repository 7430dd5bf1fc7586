"use strict";
// A page on disk may not fetch its neighbours, but may play them. So each stem is a media element,
// and all of them are kept on the clock of the first. Only what is heard next is in memory.
(() => {
  const HARD = 0.25; // seconds: further apart, a stem is sent to the place of the first
  const SOFT = 0.004; // closer than this, two stems are together
  const SPEED = 0.02; // largest change of speed that brings them together
  const PATIENCE = 4000; // milliseconds that a stem may take to get ready

  const main = document.querySelector("main");
  const find = (name) => main.querySelector(name);
  const seconds = Number(main.dataset.seconds);
  const exclusive = "exclusive" in main.dataset;
  const state = { at: 0, from: null, to: null, loop: false, turn: 0, seeking: false };
  let context = null;

  const tracks = [...main.querySelectorAll(".track")].map((element) => {
    const audio = new Audio();
    audio.preload = "auto";
    audio.preservesPitch = false;
    const track = { element, audio, gain: 1, solo: false, mute: false, broken: false, node: null };
    audio.addEventListener("error", () => {
      track.broken = true;
      element.querySelector(".note").textContent = "This browser cannot play " + element.dataset.file;
    });
    audio.addEventListener("ended", () => track === leader() && finish());
    element.querySelector(".lane").append(audio);
    audio.src = element.dataset.source;
    return track;
  });
  const usable = () => tracks.filter((track) => !track.broken);
  const leader = () => usable()[0];

  function reset() {
    tracks.forEach((track, index) => {
      track.solo = exclusive && index === 0;
      track.mute = "muted" in track.element.dataset;
    });
    mix();
  }

  function mix() {
    const solo = tracks.some((track) => track.solo);
    for (const track of tracks) {
      const heard = solo ? track.solo : !track.mute;
      const level = heard ? track.gain : 0;
      // Phones have a fixed volume, but mute.
      track.audio.muted = level === 0;
      if (track.node) track.node.gain.value = level;
      else track.audio.volume = level;
      track.element.classList.toggle("silent", !heard);
      press(track.element.querySelector(".mute"), track.mute);
      press(track.element.querySelector(".solo"), track.solo);
    }
  }

  function press(button, pressed) {
    if (button) button.setAttribute("aria-pressed", pressed);
  }

  function choose(track, what) {
    if (exclusive) for (const other of tracks) other.solo = other === track;
    else track[what] = !track[what];
    mix();
  }

  // From a server, sound may pass through nodes, whose gain phones obey. On disk it may not.
  function connect() {
    if (context || location.protocol === "file:" || !window.AudioContext) return;
    context = new AudioContext();
    for (const track of tracks) {
      track.node = context.createGain();
      context.createMediaElementSource(track.audio).connect(track.node).connect(context.destination);
      track.audio.volume = 1;
    }
    mix();
  }

  function settled(audio) {
    return new Promise((resolve) => {
      const events = ["seeked", "canplay", "error"];
      const check = () => {
        if (!audio.error && (audio.seeking || audio.readyState < 3)) return;
        for (const name of events) audio.removeEventListener(name, check);
        resolve();
      };
      for (const name of events) audio.addEventListener(name, check);
      setTimeout(resolve, PATIENCE);
      check();
    });
  }

  // Sends all stems to a place; they go on together, if at all.
  async function go(place, playing) {
    const turn = ++state.turn;
    state.at = Math.min(Math.max(place, 0), seconds);
    main.dataset.state = playing ? "waiting" : "paused";
    show();
    for (const { audio } of tracks) audio.pause();
    for (const { audio } of usable()) {
      audio.playbackRate = 1;
      audio.currentTime = state.at;
    }
    if (!playing) return;
    connect();
    if (context) await context.resume();
    await Promise.all(usable().map(({ audio }) => settled(audio)));
    if (turn !== state.turn) return;
    try {
      await Promise.all(usable().map(({ audio }) => audio.play()));
    } catch (error) {
      if (turn === state.turn && error.name !== "AbortError") main.dataset.state = "paused";
      return;
    }
    if (turn === state.turn && leader()) {
      main.dataset.state = "playing";
      requestAnimationFrame(draw);
    }
  }

  const isPlaying = () => main.dataset.state === "playing";
  const isOn = () => isPlaying() || main.dataset.state === "waiting";
  const seek = (place) => go(place, isOn());

  function toggle() {
    if (isOn()) return go(state.at, false);
    const outside = state.loop && (state.at < start() || state.at >= stop());
    return go(outside || state.at > seconds - 0.05 ? start() : state.at, true);
  }

  const start = () => (state.loop && state.from !== null ? state.from : 0);
  const stop = () => (state.loop && state.to !== null ? state.to : seconds);
  const finish = () => (state.loop ? go(start(), true) : go(seconds, false));

  function together() {
    if (!isPlaying() || !leader()) return;
    const place = leader().audio.currentTime;
    if (state.loop && place >= stop() - 0.01) {
      go(start(), true);
      return;
    }
    for (const { audio } of usable().slice(1)) {
      const ahead = audio.currentTime - place;
      if (audio.ended || audio.seeking) continue;
      if (Math.abs(ahead) > HARD) audio.currentTime = place;
      const slower = Math.abs(ahead) < SOFT ? 0 : Math.max(-SPEED, Math.min(SPEED, ahead));
      audio.playbackRate = 1 - slower;
    }
  }
  setInterval(together, 25);

  function draw() {
    if (!isPlaying() || !leader()) return;
    state.at = leader().audio.currentTime;
    show();
    requestAnimationFrame(draw);
  }

  function clock(time) {
    const tenths = Math.floor(time * 10 + 1e-6);
    const minutes = Math.floor(tenths / 600);
    return minutes + ":" + ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  }

  function show() {
    const style = find(".tracks").style;
    const marked = state.from !== null && state.to !== null;
    style.setProperty("--at", state.at / seconds);
    style.setProperty("--from", marked ? state.from / seconds : 0);
    style.setProperty("--to", marked ? state.to / seconds : 0);
    find(".clock").textContent = clock(state.at);
    if (!state.seeking) find(".seek").value = state.at;
    find(".region").textContent = marked ? clock(state.from) + "–" + clock(state.to) : "";
    press(find(".loop"), state.loop);
    find(".play").setAttribute("aria-label", isOn() ? "Pause" : "Play");
  }

  function mark(from, to) {
    state.from = from;
    state.to = to;
    state.loop = from !== null && to !== null;
    show();
  }

  function markEdge(isEnd) {
    const from = isEnd ? (state.from ?? 0) : state.at;
    const to = isEnd ? state.at : (state.to ?? seconds);
    mark(Math.min(from, to), Math.max(from, to));
  }

  for (const track of tracks) {
    const lane = track.element.querySelector(".lane");
    const place = (event) => {
      const box = lane.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * seconds;
    };
    let pressed = null;
    lane.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      pressed = { x: event.clientX, at: place(event), drags: false };
      lane.setPointerCapture(event.pointerId);
    });
    lane.addEventListener("pointermove", (event) => {
      if (!pressed) return;
      pressed.drags ||= Math.abs(event.clientX - pressed.x) > 6;
      const to = place(event);
      if (pressed.drags) mark(Math.min(pressed.at, to), Math.max(pressed.at, to));
    });
    lane.addEventListener("pointerup", (event) => {
      if (pressed) seek(pressed.drags ? start() : place(event));
      pressed = null;
    });
    lane.addEventListener("pointercancel", () => (pressed = null));
    track.element.querySelector(".mute")?.addEventListener("click", () => choose(track, "mute"));
    track.element.querySelector(".solo").addEventListener("click", () => choose(track, "solo"));
    const gain = track.element.querySelector(".gain input");
    gain?.addEventListener("input", () => {
      const least = gain.value === gain.min;
      track.gain = least ? 0 : 10 ** (gain.value / 20);
      track.element.querySelector(".gain output").textContent = least ? "off" : gain.value + " dB";
      mix();
    });
  }

  find(".play").addEventListener("click", toggle);
  find(".loop").addEventListener("click", () => {
    state.loop = !state.loop;
    show();
  });
  find(".seek").addEventListener("input", (event) => {
    state.seeking = true;
    state.at = Number(event.target.value);
    find(".clock").textContent = clock(state.at);
  });
  find(".seek").addEventListener("change", (event) => {
    state.seeking = false;
    seek(Number(event.target.value));
  });

  const keys = {
    Space: toggle,
    ArrowLeft: (event) => seek(state.at - (event.shiftKey ? 1 : 5)),
    ArrowRight: (event) => seek(state.at + (event.shiftKey ? 1 : 5)),
    Home: () => seek(start()),
    Escape: () => mark(null, null),
    KeyL: () => find(".loop").click(),
    KeyA: () => markEdge(false),
    KeyB: () => markEdge(true),
    Digit0: reset,
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const kind = event.target.tagName;
    // What has the focus keeps the keys that it obeys itself.
    if (kind === "INPUT" && /^(Arrow|Home)/.test(event.code)) return;
    if (/^(BUTTON|SUMMARY|A)$/.test(kind) && event.code === "Space") return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const track = digit && tracks[digit[1] - 1];
    const action = track ? () => choose(track, event.shiftKey ? "mute" : "solo") : keys[event.code];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  // After a click the space bar plays again; with the keyboard alone, it presses the button.
  document.addEventListener("pointerup", () => {
    setTimeout(() => document.activeElement?.matches("button, input") && document.activeElement.blur());
  });

  main.dataset.state = "paused";
  reset();
  show();
})();
