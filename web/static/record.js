// Recording with the browser's own microphone; without it the file field alone does the work.
(function () {
  "use strict";
  var box = document.getElementById("may-thu"), file = document.getElementById("file");
  var told = document.getElementById("thu-loi");
  if (!box || !file) return;
  function tell(words) { told.textContent = words; told.hidden = !words; }
  if (!window.MediaRecorder || !navigator.mediaDevices || typeof DataTransfer === "undefined") {
    if (!window.isSecureContext) tell("Trình duyệt chỉ cho thu âm khi mở trang bằng https hoặc ngay trên máy của đài. Hãy thu bằng điện thoại rồi chọn tệp bên dưới.");
    return;
  }
  box.hidden = false;
  var button = document.getElementById("thu-nut"), word = button.querySelector("span");
  var time = document.getElementById("thu-gio"), level = document.getElementById("thu-muc");
  var heard = document.getElementById("thu-nghe"), limit = Number(box.dataset.limitS);
  var recorder = null, context = null, stream = null, timer = 0;

  function type() {
    return ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"].filter(function (each) {
      return MediaRecorder.isTypeSupported(each);
    })[0] || "";
  }
  function clock(seconds) {
    return Math.floor(seconds / 60) + ":" + ("0" + Math.floor(seconds % 60)).slice(-2);
  }
  function ended() {
    clearInterval(timer);
    if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
    if (context) context.close();
    stream = context = recorder = null;
    level.value = 0;
    word.textContent = "Thu lại từ đầu";
  }
  function begin(given) {
    var parts = [], since = Date.now(), kind = type();
    stream = given;
    recorder = kind ? new MediaRecorder(stream, { mimeType: kind, audioBitsPerSecond: 96000 }) : new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", function (event) { if (event.data.size) parts.push(event.data); });
    recorder.addEventListener("stop", function () {
      var mime = recorder.mimeType || kind, end = /ogg/.test(mime) ? "ogg" : /mp4/.test(mime) ? "m4a" : "webm";
      var sound = new File(parts, "thu-tren-may." + end, { type: mime }), list = new DataTransfer();
      list.items.add(sound);
      file.files = list.files;
      heard.src = URL.createObjectURL(sound);
      heard.hidden = false;
      ended();
    });
    context = new AudioContext();
    var ear = context.createAnalyser(), values = new Float32Array(1024);
    ear.fftSize = 1024;
    context.createMediaStreamSource(stream).connect(ear);
    timer = setInterval(function () {
      var passed = (Date.now() - since) / 1000, top = 0;
      ear.getFloatTimeDomainData(values);
      values.forEach(function (value) { top = Math.max(top, Math.abs(value)); });
      level.value = top;
      time.textContent = clock(passed);
      if (passed >= limit && recorder && recorder.state === "recording") recorder.stop();
    }, 200);
    recorder.start(1000);
    word.textContent = "Dừng";
    tell("");
  }
  button.addEventListener("click", function () {
    if (recorder) { if (recorder.state === "recording") recorder.stop(); return; }
    navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, autoGainControl: false } }).then(begin, function () {
      tell("Không dùng được micrô. Hãy cho phép trình duyệt dùng micrô, kiểm tra dây cắm, hoặc chọn tệp bên dưới.");
    });
  });
  window.addEventListener("beforeunload", function (event) {
    if (recorder) event.preventDefault();
  });
})();
