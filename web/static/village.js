// Not needed for the page to work: says "downloaded" for the operator, and lets one sound play at a time.
document.addEventListener("click", function (event) {
  var link = event.target.closest("[data-got]");
  if (link && navigator.sendBeacon) navigator.sendBeacon(link.dataset.got);
});
document.addEventListener("play", function (event) {
  document.querySelectorAll("audio").forEach(function (other) {
    if (other !== event.target) other.pause();
  });
}, true);
