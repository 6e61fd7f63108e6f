// Small helps on top of plain forms: nothing here is needed for the pages to work.
(function () {
  "use strict";
  var summary = document.getElementById("loi");
  if (summary) summary.focus();

  // One sound at a time.
  document.addEventListener("play", function (event) {
    document.querySelectorAll("audio").forEach(function (other) {
      if (other !== event.target) other.pause();
    });
  }, true);

  // The station's clock, moved on by this machine; a wrong clock here is said aloud, since times are the station's.
  var clock = document.getElementById("gio-dai");
  if (clock) {
    var skew = new Date(clock.dataset.now) - Date.now();
    if (Math.abs(skew) > 120000) clock.title = "Đồng hồ máy này lệch giờ đài hơn 2 phút";
  }

  // A form is sent once: a second tap waits for the first answer.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 8000);
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  // A board that slept in a hidden tab asks at once when somebody looks at it again.
  document.addEventListener("visibilitychange", function () {
    var board = document.getElementById("hoi");
    if (board && !document.hidden && window.htmx) window.htmx.trigger(board, "lam-moi");
  });

  // Copy buttons appear only where copying works, also in what comes later.
  if (navigator.clipboard) {
    document.documentElement.classList.add("js");
    document.querySelectorAll("button[data-copy][hidden]").forEach(function (button) { button.hidden = false; });
    document.addEventListener("click", function (event) {
      var button = event.target.closest("button[data-copy]");
      if (!button) return;
      navigator.clipboard.writeText(button.dataset.copy).then(function () { button.textContent = "Đã chép"; });
    });
  }
})();
