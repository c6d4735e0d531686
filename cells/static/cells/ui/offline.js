/** Registers the worker that shows the offline page, where a browser has workers: on https, and on this machine. */

function register() {
  // A browser may refuse, as some do in private windows; then its own page is shown.
  navigator.serviceWorker.register("/service-worker.js", { updateViaCache: "none" }).catch(() => {});
}

if (isSecureContext && "serviceWorker" in navigator) {
  // After the page itself: its first cells come first.
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
