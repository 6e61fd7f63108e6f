// Asks once, softly, when something is approved unheard; without this script the form simply works.
(function () {
  "use strict";
  var form = document.getElementById("duyet"), sound = document.getElementById("ban-thu");
  var dialog = document.getElementById("chua-nghe"), lost = document.getElementById("chua-gui");
  if (lost) document.querySelectorAll("main form").forEach(function (each) {
    each.addEventListener("submit", function (event) {
      lost.hidden = navigator.onLine !== false;
      if (!lost.hidden) event.preventDefault();
    });
  });
  if (!form || !sound || !dialog || !dialog.showModal) return;
  var heard = form.elements.heard, sure = false;
  heard.value = "0";
  sound.addEventListener("playing", function () { heard.value = "1"; });
  form.addEventListener("submit", function (event) {
    if (event.defaultPrevented || heard.value === "1" || sure) return;
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    dialog.close();
    if (button.value === "nghe") { sound.focus(); sound.play(); return; }
    sure = true;
    form.requestSubmit();
  });
})();
