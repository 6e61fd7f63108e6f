// Offline: the village's page as it was last seen, and the sound of today and tomorrow with seeking.
const STORE = "dai-1", MOST_BYTES = 60e6, PATIENCE_MS = 5000, PAGE = new URL(registration.scope).pathname;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", (event) => event.waitUntil(keep(event.data)));

// Keep exactly what the page names: what is older goes first, then what is missing comes, up to the limit.
async function keep(names) {
  const store = await caches.open(STORE), wanted = names.map((name) => new URL(name, location).href);
  let bytes = 0;
  for (const request of await store.keys()) {
    if (!wanted.includes(request.url)) await store.delete(request);
    else bytes += (await (await store.match(request)).blob()).size;
  }
  for (const url of wanted) {
    if (await store.match(url)) continue;
    const answer = await fetch(url).catch(() => null);
    if (!answer) continue;
    bytes += Number(answer.headers.get("Content-Length"));
    if (answer.status === 200 && bytes <= MOST_BYTES) await store.put(url, answer);
  }
}

addEventListener("fetch", (event) => {
  const request = event.request, path = new URL(request.url).pathname;
  if (request.method !== "GET") return;
  if (path === PAGE) event.respondWith(page(event));
  else if (request.mode !== "navigate") event.respondWith(file(request));
});

// The network's page when it comes in time; else the kept one, marked as kept. A full store takes nothing away.
async function page(event) {
  const url = event.request.url.split("#")[0], store = await caches.open(STORE).catch(() => null);
  const kept = store && (await store.match(url));
  const network = fetch(event.request).then(async (answer) => {
    if (store && answer.status === 200) await store.put(url, answer.clone()).catch(() => {});
    return answer;
  });
  event.waitUntil(network.catch(() => {}));
  if (!kept) return network;
  return Promise.race([network, new Promise((_, late) => setTimeout(late, PATIENCE_MS))]).catch(() => saved(kept));
}

async function saved(kept) {
  const headers = {};
  for (const name of ["Content-Type", "Content-Security-Policy", "Referrer-Policy"]) headers[name] = kept.headers.get(name);
  return new Response((await kept.text()).replace("<body", '<body class="saved"'), { headers });
}

// A kept file answers whole, or the slice that the player asks for when somebody seeks.
async function file(request) {
  const kept = await (await caches.open(STORE)).match(request.url);
  if (!kept) return fetch(request);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("Range") || "");
  if (!range) return kept;
  const whole = await kept.blob(), first = Number(range[1]);
  if (first >= whole.size) return new Response("", { status: 416, headers: { "Content-Range": `bytes */${whole.size}` } });
  const last = Math.min(range[2] ? Number(range[2]) : whole.size - 1, whole.size - 1);
  return new Response(whole.slice(first, last + 1), {
    status: 206,
    headers: {
      "Content-Type": kept.headers.get("Content-Type"),
      "Content-Range": `bytes ${first}-${last}/${whole.size}`,
      "Content-Length": String(last - first + 1),
      "Accept-Ranges": "bytes",
    },
  });
}
