(function () {
  var d = document, key = "dai:" + location.pathname, note = d.getElementById("chua-gui"), clear = d.getElementById("xoa");
  function box(v) {
    try {
      if (v) localStorage.setItem(key, JSON.stringify(v));
      return JSON.parse(localStorage.getItem(key)) || {};
    } catch (e) { return v || {}; }
  }
  function flush() {
    var q = box(), urls = Object.keys(q);
    note.hidden = !urls[0];
    note.querySelector("b").textContent = urls.length;
    if (urls[0] && navigator.onLine) Promise.all(urls.map(function (u) {
      return fetch(u, { method: "POST", body: new URLSearchParams(q[u]) }).then(function (r) {
        if (r.status > 499 || r.status == 429) throw r;
        var left = box();
        delete left[u];
        box(left);
      });
    })).then(function () { location.reload(); }, function () {});
  }
  d.addEventListener("submit", function (e) {
    var f = e.target, b = e.submitter, body = { phone_at: Date.now() }, q = box();
    if (!window.fetch) return;
    e.preventDefault();
    f.querySelectorAll("input").forEach(function (i) { body[i.name] = i.value; });
    if (b && b.name) body[b.name] = b.value;
    q[f.action] = q[f.action] || body;
    box(q);
    flush();
  });
  d.addEventListener("click", function (e) {
    var a = e.target.closest("[data-got]");
    if (a) navigator.sendBeacon(a.dataset.got);
    if (e.target == clear) caches.delete("dai-1").then(function () { clear.textContent = "Đã xóa"; });
  });
  d.addEventListener("play", function (e) {
    d.querySelectorAll("audio").forEach(function (o) { if (o != e.target) o.pause(); });
  }, true);
  addEventListener("online", flush);
  setInterval(flush, 2e4);
  flush();
  var sw = navigator.serviceWorker, page = location.pathname;
  if (sw) sw.register(page + "/sw.js", { scope: page }).then(function () { return sw.ready; }).then(function (r) {
    var keep = [page];
    d.querySelectorAll("script,link[href],audio").forEach(function (x) { keep.push(x.src || x.href); });
    r.active.postMessage(keep.concat(d.body.dataset.keep.split(" ")).filter(Boolean));
    clear.hidden = false;
  });
})();
