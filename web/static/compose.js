// Helps for writing: nothing here is needed for the page to work.
(function () {
  "use strict";
  var text = document.querySelector("textarea[data-keep]");
  var form = document.getElementById("soan");

  // What is typed also stays in this tab until the server has said that it is saved.
  function keep(name, value) {
    try {
      if (value === null) sessionStorage.removeItem("nhap:" + name);
      else sessionStorage.setItem("nhap:" + name, value);
    } catch (e) { /* storage may be off */ }
  }
  function kept(name) {
    try { return sessionStorage.getItem("nhap:" + name); } catch (e) { return null; }
  }
  if (text) {
    var name = text.dataset.keep, before = kept(name), offer = document.getElementById("khoi-phuc");
    if (name !== "moi") keep("moi", null);
    if (before !== null && before.trim() && before !== text.value) {
      if (!text.value.trim()) text.value = before;
      else if (offer) {
        offer.hidden = false;
        offer.querySelector("button").addEventListener("click", function () {
          text.value = before;
          offer.hidden = true;
          text.focus();
          text.dispatchEvent(new Event("input", { bubbles: true }));
        });
      }
    }
    text.addEventListener("input", function () { keep(name, text.value); });
  }

  // Ctrl+Enter does what the filled button does.
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      var main = document.querySelector("[data-main]");
      if (main) { event.preventDefault(); main.click(); }
    }
    // Esc closes what is open around the field, and the focus goes back to where it was opened.
    if (event.key === "Escape") {
      var open = document.activeElement && document.activeElement.closest("main details[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
    }
  });
  if (!form) return;

  // A button pressed while the page saves itself waits for that saving: one hand is no conflict.
  var busy = 0, waiting = null;
  form.addEventListener("submit", function (event) {
    if (!busy) return;
    event.preventDefault();
    waiting = event.submitter;
  });
  var trouble = document.getElementById("chua-luu"), sent = "";
  function tell(sentence) {
    trouble.querySelector("p").textContent = sentence;
    trouble.hidden = !sentence;
  }
  // What saves itself presses no button, though the focus may stand on one that came back with an answer.
  document.body.addEventListener("htmx:configRequest", function (event) {
    if (event.target === form) event.detail.formData.delete("do");
  });
  document.body.addEventListener("htmx:beforeRequest", function (event) {
    if (!form.contains(event.target)) return;
    busy += 1;
    if (event.target === form) sent = text.value;
  });
  document.body.addEventListener("htmx:afterRequest", function (event) {
    if (!form.contains(event.target) && event.target !== form) return;
    busy = Math.max(busy - 1, 0);
    var status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (status >= 200 && status < 300) {
      if (event.target === form && sent === text.value) keep(text.dataset.keep, null);
      tell("");
    } else if (status === 401 || status === 400) tell("Chưa lưu được: phiên làm việc đã hết. Chữ đang gõ vẫn còn đây; bấm nút dưới để đăng nhập lại và lưu tiếp.");
    else if (status === 413) tell("Chưa lưu được: nội dung quá lớn. Hãy chia làm hai bản tin.");
    else if (status !== 409 && status !== 422) tell("Chưa lưu được: máy chủ không trả lời. Chữ đang gõ vẫn còn đây và được giữ trong thẻ này.");
    if (waiting && !busy) {
      // What came back may have put a new button in the place of the pressed one.
      var pressed = waiting, button = form.contains(pressed) ? pressed : Array.from(form.elements).find(function (one) {
        return one.type === "submit" && one.name === pressed.name && one.value === pressed.value;
      });
      waiting = null;
      if (button) form.requestSubmit(button);
      else form.requestSubmit();
    }
  });

  // A part that came back new must not lose the keyboard: the focus goes to the same place in it.
  var row = "";
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    var detail = event.detail, reading = document.getElementById("cach-doc");
    // What saved itself never replaces the fields that hands are in: a button would go from under a click.
    if (detail.requestConfig.elt === form && detail.xhr.status === 200 && reading.contains(document.activeElement)) {
      detail.shouldSwap = false;
      var version = /name="version" value="([0-9]+)"/.exec(detail.xhr.responseText);
      var said = /id="da-luu"[^>]*>([^<]*)</.exec(detail.xhr.responseText);
      if (version) document.getElementById("version").value = version[1];
      if (said) document.getElementById("da-luu").textContent = said[1];
      return;
    }
    var at = document.activeElement && document.activeElement.closest("article[id], fieldset[id], section[id], details[id]");
    row = at && form.contains(at) ? at.id : "";
  });
  document.body.addEventListener("htmx:afterSettle", function () {
    if (!row || (document.activeElement && document.activeElement !== document.body)) return;
    var again = document.getElementById(row) || document.querySelector("fieldset.ask-card") || document.getElementById("cach-doc");
    var target = again && (again.querySelector("summary, input[type=text], button") || again);
    if (target) { if (target === again) target.tabIndex = -1; target.focus(); }
  });
})();
